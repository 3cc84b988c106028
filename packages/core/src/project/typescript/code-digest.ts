/**
 * The digest of a piece of TypeScript: its tree without places, comments, layout and types. Types that only the checker
 * reads do not count, since stripping blanks them out before anything runs.
 */
import { digestOf } from '../../canonical.ts'
import type { Json } from '../../canonical.ts'
import { isNode } from './parse-typescript.ts'
import type { Node } from './parse-typescript.ts'

const erasedMembers = new Set([
  'start',
  'end',
  'range',
  'parent',
  'typeAnnotation',
  'returnType',
  'typeParameters',
  'typeArguments',
  'superTypeArguments',
  'implements',
  'accessibility',
  'declare',
  'override',
  'readonly',
  'definite',
  'abstract',
  'importKind',
  'exportKind',
])
/** Written around a value for the checker or the reader alone. */
const wrappers = new Set([
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSNonNullExpression',
  'ParenthesizedExpression',
  'TSInstantiationExpression',
])
const erasedNodes = new Set([
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
  'TSIndexSignature',
  'TSDeclareFunction',
  'TSAbstractMethodDefinition',
])

export function codeDigest(nodes: readonly Node[]): string {
  return digestOf(nodes.map(canonicalNode))
}

function canonicalNode(node: Node): Json {
  if (wrappers.has(node.type)) return canonicalNode(node['expression'] as Node)
  if (node.type === 'Literal') return literal(node)
  const members: Record<string, Json> = { type: node.type }
  for (const [key, value] of Object.entries(node)) {
    if (key === 'type' || erasedMembers.has(key)) continue
    // `x?: number` is a type; `a?.b` is not.
    if (key === 'optional' && node.type !== 'CallExpression' && node.type !== 'MemberExpression') continue
    members[key] = canonicalValue(value)
  }
  return members
}

function canonicalValue(value: unknown): Json {
  if (Array.isArray(value)) return (value as unknown[]).filter((item) => !isErased(item)).map(canonicalValue)
  if (isNode(value)) return isErased(value) ? null : canonicalNode(value)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, canonicalValue(member)]))
  }
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number' ? value : null
}

function isErased(value: unknown): boolean {
  if (!isNode(value)) return false
  // The `this` parameter is a type, too.
  if (value.type === 'Identifier' && value['name'] === 'this') return true
  return erasedNodes.has(value.type) || value['declare'] === true
}

/** By value, so that `'a'` and `"a"`, `1_000` and `1000` are the same; what JSON cannot hold goes by its text. */
function literal(node: Node): Json {
  const { value, regex, bigint, raw } = node
  if (regex !== undefined && regex !== null) return ['regex', String(raw)]
  if (typeof bigint === 'string') return ['bigint', bigint]
  if (typeof value === 'number') return ['number', Number.isFinite(value) ? value : String(value)]
  return ['literal', typeof value === 'string' || typeof value === 'boolean' ? value : null]
}
