/** Expressions whose evaluation does nothing but make a value. An allow-list: what is not on it is an effect. */
import type { BindingFact } from '../../fingerprint/typescript/facts.ts'
import { isNode } from './parse-typescript.ts'
import type { Node } from './parse-typescript.ts'

type Bindings = Readonly<Record<string, BindingFact>>

/** Constructors that only keep what they are given. */
const plainConstructors = new Set([
  'Set',
  'Map',
  'WeakMap',
  'WeakSet',
  'RegExp',
  'URL',
  'Error',
  'Uint8Array',
  'Float64Array',
  'Int32Array',
  'BigInt64Array',
  'TextEncoder',
  'TextDecoder',
])
const plainCalls = new Set(['Object.freeze', 'Symbol', 'Symbol.for', 'BigInt', 'Number', 'String', 'Boolean'])
const sdkCalls = new Set(['table', 'object', 'path', 'int', 'float', 'bool', 'str', 'date', 'fromProject'])

export function isInert(node: Node, bindings: Bindings): boolean {
  const inner = (value: unknown): boolean => !isNode(value) || isInert(value, bindings)
  const all = (values: unknown): boolean => (values as readonly unknown[]).every(inner)
  switch (node.type) {
    case 'Literal':
    case 'Identifier':
    case 'ArrowFunctionExpression':
    case 'FunctionExpression':
    case 'MetaProperty':
    case 'ThisExpression':
    case 'TemplateElement':
      return true
    case 'ParenthesizedExpression':
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
      return inner(node['expression'])
    case 'UnaryExpression':
      return node['operator'] !== 'delete' && inner(node['argument'])
    case 'BinaryExpression':
    case 'LogicalExpression':
      return inner(node['left']) && inner(node['right'])
    case 'ConditionalExpression':
      return inner(node['test']) && inner(node['consequent']) && inner(node['alternate'])
    case 'TemplateLiteral':
      return all(node['expressions'])
    case 'ArrayExpression':
      return all(node['elements'])
    case 'ObjectExpression':
      return all(node['properties'])
    case 'Property':
      return (node['computed'] !== true || inner(node['key'])) && inner(node['value'])
    case 'SpreadElement':
      return inner(node['argument'])
    case 'MemberExpression':
      return inner(node['object']) && (node['computed'] !== true || inner(node['property']))
    case 'NewExpression':
      return plainConstructors.has(nameOf(node['callee'] as Node)) && all(node['arguments'])
    case 'CallExpression':
      return isPlainCall(node['callee'] as Node, bindings) && all(node['arguments'])
    case 'ClassDeclaration':
    case 'ClassExpression':
      return isInertClass(node, bindings)
    default:
      return false
  }
}

function isPlainCall(callee: Node, bindings: Bindings): boolean {
  const name = nameOf(callee)
  const binding = bindings[name]
  if (binding !== undefined) return binding.from === '@cellmill/sdk' && sdkCalls.has(binding.name ?? '')
  return plainCalls.has(name)
}

function nameOf(node: Node): string {
  if (node.type === 'Identifier') return String(node['name'])
  if (node.type !== 'MemberExpression' || node['computed'] === true) return ''
  return `${nameOf(node['object'] as Node)}.${nameOf(node['property'] as Node)}`
}

/** Methods are code that runs later; static fields, static blocks and computed keys run at once. */
function isInertClass(node: Node, bindings: Bindings): boolean {
  const parent = node['superClass'] as Node | null
  if (parent !== null && parent.type !== 'Identifier' && parent.type !== 'MemberExpression') return false
  return ((node['body'] as Node)['body'] as readonly Node[]).every((member) => {
    if (member.type === 'StaticBlock') return false
    if (member['computed'] === true && !isInert(member['key'] as Node, bindings)) return false
    const value = member['value'] as Node | null | undefined
    return (
      member['static'] !== true ||
      member.type !== 'PropertyDefinition' ||
      value === null ||
      value === undefined ||
      isInert(value, bindings)
    )
  })
}
