/**
 * Adds sources to a `cellmill.config.ts` by spans, so that all that the author wrote stays. Refuses a configuration whose
 * shape it cannot see through, and then says what to write by hand.
 */
import { parseSync } from 'oxc-parser'
import { CellmillError } from '../../errors.ts'

export interface NewSource {
  readonly name: string
  /** Source text of the value: `file('data/x.csv')`. */
  readonly value: string
  /** What it needs from `@cellmill/sdk`. */
  readonly imports: string
}

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

export function addSources(text: string, sources: readonly NewSource[]): string {
  if (sources.length === 0) return text
  const program = parseSync('cellmill.config.ts', text).program as unknown as Node
  const config = configObject(program)
  if (config === null) throw byHand(sources)
  const property = propertyOf(config, 'sources')
  const object = property === null ? null : (property['value'] as Node)
  if (object !== null && object.type !== 'ObjectExpression') throw byHand(sources)
  const taken = new Set(object === null ? [] : members(object).map(keyOf))
  const added = sources.filter(({ name }) => !taken.has(name))
  if (added.length === 0) return text
  const edits = [sourceEdit(text, { config, object, added }), ...importEdits(program, added)]
  return edits
    .sort((a, b) => b.at - a.at)
    .reduce((edited, { at, insert }) => edited.slice(0, at) + insert + edited.slice(at), text)
}

interface Edit {
  readonly at: number
  readonly insert: string
}

interface SourceEdit {
  readonly config: Node
  readonly object: Node | null
  readonly added: readonly NewSource[]
}

function sourceEdit(text: string, { config, object, added }: SourceEdit): Edit {
  const lines = added.map(({ name, value }) => `    ${keyText(name)}: ${value},`).join('\n')
  if (object === null) return { at: config.start + 1, insert: `\n  sources: {\n${lines}\n  },` }
  const last = members(object).at(-1)
  if (last === undefined) return { at: object.start + 1, insert: `\n${lines}\n  ` }
  const after = text.slice(last.end, object.end)
  const comma = after.trimStart().startsWith(',')
  return { at: comma ? last.end + after.indexOf(',') + 1 : last.end, insert: `${comma ? '' : ','}\n${lines}` }
}

function importEdits(program: Node, added: readonly NewSource[]): readonly Edit[] {
  const wanted = new Set(added.map(({ imports }) => imports))
  const statement = (program['body'] as Node[]).find(
    (node) => node.type === 'ImportDeclaration' && (node['source'] as { value: string }).value === '@cellmill/sdk',
  )
  const specifiers = (statement?.['specifiers'] ?? []) as Node[]
  for (const specifier of specifiers) wanted.delete((specifier['local'] as { name: string }).name)
  if (wanted.size === 0) return []
  const names = [...wanted].sort().join(', ')
  const last = specifiers.at(-1)
  if (last === undefined) return [{ at: 0, insert: `import { ${names} } from '@cellmill/sdk'\n` }]
  return [{ at: last.end, insert: `, ${names}` }]
}

/** The object of `export default defineConfig({..})` or `export default {..}`. */
function configObject(program: Node): Node | null {
  const statement = (program['body'] as Node[]).find((node) => node.type === 'ExportDefaultDeclaration')
  let value = statement?.['declaration'] as Node | undefined
  if (value?.type === 'CallExpression') value = (value['arguments'] as Node[])[0]
  return value?.type === 'ObjectExpression' ? value : null
}

function propertyOf(object: Node, name: string): Node | null {
  return members(object).find((member) => keyOf(member) === name) ?? null
}

function members(object: Node): readonly Node[] {
  return object['properties'] as Node[]
}

function keyOf(member: Node): string {
  const key = member['key'] as { readonly name?: string; readonly value?: unknown } | undefined
  return key?.name ?? (typeof key?.value === 'string' ? key.value : '')
}

function keyText(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name.replaceAll("'", "\\'")}'`
}

function byHand(sources: readonly NewSource[]): CellmillError {
  return new CellmillError('USAGE', 'cellmill.config.ts is written in a way that cannot be edited by a program', {
    hint: `add to its sources: ${sources.map(({ name, value }) => `${name}: ${value}`).join(', ')}`,
  })
}
