/** Literal values in a tree: what an option may be, since options are read without running the file. */
import type { Json } from '../../canonical.ts'
import { stringOf } from './code-facts.ts'
import type { Node } from './parse-typescript.ts'
import { keyOf, plain } from './step-calls.ts'

/** Undefined when the expression is not a literal. */
export function literalValue(node: Node | null): Json | undefined {
  const inner = plain(node)
  if (inner === null) return undefined
  switch (inner.type) {
    case 'Literal': {
      const { value } = inner
      return value === null || ['string', 'boolean', 'number'].includes(typeof value) ? (value as Json) : undefined
    }
    case 'TemplateLiteral':
      return stringOf(inner) ?? undefined
    case 'UnaryExpression': {
      const value = literalValue(inner['argument'] as Node)
      return inner['operator'] === '-' && typeof value === 'number' ? -value : undefined
    }
    case 'ArrayExpression': {
      const values = (inner['elements'] as readonly (Node | null)[]).map(literalValue)
      return values.includes(undefined) ? undefined : (values as readonly Json[])
    }
    case 'ObjectExpression':
      return objectValue(inner)
    default:
      return undefined
  }
}

function objectValue(node: Node): Json | undefined {
  const members: Record<string, Json> = {}
  for (const property of node['properties'] as readonly Node[]) {
    const key = property.type === 'Property' ? keyOf(property) : null
    const value = key === null ? undefined : literalValue(property['value'] as Node)
    if (key === null || value === undefined) return undefined
    members[key] = value
  }
  return members
}
