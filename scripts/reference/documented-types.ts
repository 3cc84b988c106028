/** Exported interfaces and functions of a TypeScript file with their comments. Reads the text only; nothing is imported. */
import { parseSync } from 'oxc-parser'

export interface DocumentedMember {
  readonly name: string
  readonly type: string
  readonly isOptional: boolean
  readonly doc: string
  readonly byDefault: string
}

export interface DocumentedType {
  readonly doc: string
  readonly example: string
  /** Of an interface; none for a function. */
  readonly members: readonly DocumentedMember[]
}

interface Comment {
  readonly text: string
  readonly end: number
}

export function documentedTypes(name: string, text: string): ReadonlyMap<string, DocumentedType> {
  const parsed = parseSync(name, text)
  if (parsed.errors.length > 0) throw new Error(`${name}: ${parsed.errors[0]!.message}`)
  const comments = parsed.comments
    .filter(({ type, value }) => type === 'Block' && value.startsWith('*'))
    .map(({ value, end }): Comment => ({ text: plain(value.slice(1)), end }))
  const before = (start: number): string =>
    comments.findLast(({ end }) => end <= start && text.slice(end, start).trim() === '')?.text ?? ''
  const found = new Map<string, DocumentedType>()
  for (const statement of parsed.program.body) {
    if (statement.type !== 'ExportNamedDeclaration' || statement.declaration === null) continue
    const { declaration } = statement
    if (declaration.type === 'FunctionDeclaration' && declaration.id !== null) {
      found.set(declaration.id.name, { ...parts(before(statement.start)), members: [] })
    }
    if (declaration.type !== 'TSInterfaceDeclaration') continue
    const members = declaration.body.body.flatMap((member): readonly DocumentedMember[] => {
      if (member.type !== 'TSPropertySignature' || member.key.type !== 'Identifier') return []
      const { doc, byDefault } = parts(before(member.start))
      const annotation = member.typeAnnotation?.typeAnnotation
      const type = annotation === undefined ? 'unknown' : shortType(text.slice(annotation.start, annotation.end))
      return [{ name: member.key.name, type, isOptional: member.optional, doc, byDefault }]
    })
    found.set(declaration.id.name, { ...parts(before(statement.start)), members })
  }
  return found
}

function plain(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim()
}

function parts(comment: string): { readonly doc: string; readonly example: string; readonly byDefault: string } {
  const [described = '', example = ''] = comment.split(/^@example\s*$/m)
  const [doc = '', byDefault = ''] = described.split('@default ')
  return { doc: doc.trim(), example: example.trim(), byDefault: byDefault.trim() }
}

function shortType(type: string): string {
  return type
    .replaceAll('readonly ', '')
    .replaceAll(/Readonly<(Record<.*>)>/g, '$1')
    .replaceAll(/\s+/g, ' ')
}
