/** `export const x = asset({..})`: where steps are, and their run functions, before their options are read. */
import type { BindingFact } from '../../fingerprint/typescript/facts.ts'
import { stringOf } from './code-facts.ts'
import { walk } from './parse-typescript.ts'
import type { Node } from './parse-typescript.ts'

export interface StepCall {
  readonly kind: 'asset' | 'check' | 'report' | 'effect'
  /** Name of the constant. */
  readonly symbol: string
  readonly isExported: boolean
  readonly statement: Node
  readonly id: Node
  readonly call: Node
  /** The argument; null when it is not an object literal. */
  readonly options: Node | null
  readonly run: Node | null
  readonly projectParameters: readonly { readonly name: string; readonly node: Node }[]
}

const kinds = ['asset', 'check', 'report', 'effect'] as const

export function stepCalls(body: readonly Node[], bindings: Readonly<Record<string, BindingFact>>): StepCall[] {
  const found: StepCall[] = []
  for (const statement of body) {
    const isExported = statement.type === 'ExportNamedDeclaration'
    const declaration = isExported ? (statement['declaration'] as Node | null) : statement
    if (declaration?.type !== 'VariableDeclaration') continue
    const declarators = declaration['declarations'] as readonly Node[]
    const [declarator] = declarators
    const call = plain(declarator?.['init'] as Node | null)
    if (declarators.length !== 1 || call?.type !== 'CallExpression') continue
    const kind = kindOf(call['callee'] as Node, bindings)
    const id = declarator!['id'] as Node
    if (kind === null || id.type !== 'Identifier') continue
    const options = plain((call['arguments'] as readonly Node[])[0] ?? null)
    const literal = options?.type === 'ObjectExpression' ? options : null
    found.push({
      kind,
      symbol: String(id['name']),
      isExported,
      statement,
      id,
      call,
      options: literal,
      run: literal === null ? null : propertyValue(literal, 'run'),
      projectParameters: literal === null ? [] : projectParameters(literal, bindings),
    })
  }
  return found
}

function kindOf(callee: Node, bindings: Readonly<Record<string, BindingFact>>): StepCall['kind'] | null {
  const name = sdkName(callee, bindings)
  return kinds.find((kind) => kind === name) ?? null
}

/** The SDK's name of what is called: `asset`, also as `sdk.asset` or under another local name. */
export function sdkName(callee: Node, bindings: Readonly<Record<string, BindingFact>>): string | null {
  if (callee.type === 'Identifier') {
    const binding = bindings[String(callee['name'])]
    return binding?.from === '@cellmill/sdk' ? binding.name : null
  }
  if (callee.type !== 'MemberExpression' || callee['computed'] === true) return null
  const binding = bindings[String((callee['object'] as Node)['name'])]
  return binding?.from === '@cellmill/sdk' && binding.name === null
    ? String((callee['property'] as Node)['name'])
    : null
}

export function plain(node: Node | null): Node | null {
  if (node === null) return null
  const wrapped = [
    'TSAsExpression',
    'TSSatisfiesExpression',
    'ParenthesizedExpression',
    'TSNonNullExpression',
  ].includes(node.type)
  return wrapped ? plain(node['expression'] as Node) : node
}

export function propertyValue(object: Node, name: string): Node | null {
  for (const property of object['properties'] as readonly Node[]) {
    if (property.type === 'Property' && keyOf(property) === name) return property['value'] as Node
  }
  return null
}

export function keyOf(property: Node): string | null {
  const key = property['key'] as Node
  if (property['computed'] === true) return null
  return key.type === 'Identifier' ? String(key['name']) : stringOf(key)
}

function projectParameters(
  options: Node,
  bindings: Readonly<Record<string, BindingFact>>,
): StepCall['projectParameters'] {
  const params = propertyValue(options, 'params')
  const uses: { name: string; node: Node }[] = []
  if (params === null) return uses
  walk(params, (node) => {
    if (node.type !== 'CallExpression' || sdkName(node['callee'] as Node, bindings) !== 'fromProject') return
    const argument = (node['arguments'] as readonly Node[])[0]
    const name = argument === undefined ? null : stringOf(argument)
    if (name !== null) uses.push({ name, node: argument! })
  })
  return uses
}
