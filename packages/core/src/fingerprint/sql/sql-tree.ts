/**
 * Reading DuckDB's serialized trees: a generic walk, and which relations a query reads. Trees are untyped JSON from
 * another process, so every member is checked where it is read; what is not recognised must make later answers wider.
 */
import type { Json } from '../../canonical.ts'

export type SqlNode = { readonly [key: string]: Json | undefined }

export function isSqlNode(value: Json | undefined): value is SqlNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : []
}

/** Every object in the tree, parents first. `visit` answers false to leave out what is below. */
export function walkSql(value: Json | undefined, visit: (node: SqlNode) => boolean | void): void {
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) walkSql(item, visit)
  } else if (isSqlNode(value) && visit(value) !== false) {
    for (const member of Object.values(value)) walkSql(member, visit)
  }
}

/** Byte offset of a node in the query's text; null where the engine does not tell. */
export function locationOf(node: SqlNode): number | null {
  const location = node['query_location']
  return typeof location === 'number' && location < Number.MAX_SAFE_INTEGER ? location : null
}

/** The tree without places: what is left is what decides the result. */
export function withoutPlaces(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(withoutPlaces)
  if (!isSqlNode(value)) return value
  const members = Object.entries(value).filter(([key]) => key !== 'query_location')
  return Object.fromEntries(members.map(([key, member]) => [key, withoutPlaces(member ?? null)]))
}

export interface RelationUse {
  /** As written, parts dotted: `staging.orders`. */
  readonly name: string
  readonly location: number | null
  /** `FROM 'x.csv'`, or an address: no relation of the project is called so. */
  readonly isFile: boolean
}

/** Base tables of the query, CTEs left out where they are in scope, each once (names compare without case). */
export function relationsOf(tree: Json): readonly RelationUse[] {
  const found = new Map<string, RelationUse>()
  collectRelations(tree, new Set(), found)
  return [...found.values()]
}

function collectRelations(value: Json | undefined, ctes: ReadonlySet<string>, found: Map<string, RelationUse>): void {
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) collectRelations(item, ctes, found)
    return
  }
  if (!isSqlNode(value)) return
  if (value['type'] === 'BASE_TABLE') {
    const parts = [value['catalog_name'], value['schema_name'], value['table_name']]
      .map(textOf)
      .filter((part) => part !== '')
    const name = parts.join('.')
    const isCte = parts.length === 1 && ctes.has(name.toLowerCase())
    if (!isCte && !found.has(name.toLowerCase())) {
      const isFile = parts.some((part) => /[./\\*?:]/.test(part))
      found.set(name.toLowerCase(), { name, location: locationOf(value), isFile })
    }
    return
  }
  const inScope = collectCtes(value, ctes, found)
  for (const [key, member] of Object.entries(value)) {
    if (key !== 'cte_map') collectRelations(member, inScope, found)
  }
}

/** A CTE is in scope in those after it and in the query; in itself only when it is recursive. */
function collectCtes(node: SqlNode, outer: ReadonlySet<string>, found: Map<string, RelationUse>): ReadonlySet<string> {
  const map = isSqlNode(node['cte_map']) ? listOf(node['cte_map']['map']) : []
  const inner = node['type'] === 'RECURSIVE_CTE_NODE' ? [textOf(node['cte_name']).toLowerCase()] : []
  if (map.length === 0 && inner.length === 0) return outer
  const scope = new Set([...outer, ...inner])
  for (const entry of map) {
    if (!isSqlNode(entry)) continue
    collectRelations(entry['value'], scope, found)
    scope.add(textOf(entry['key']).toLowerCase())
  }
  return scope
}

/** Names by which rows as a whole can be meant: tables, aliases, CTEs, table functions; without case. */
export function relationNames(tree: Json): ReadonlySet<string> {
  const names = new Set<string>()
  const add = (name: Json | undefined): void => {
    if (textOf(name) !== '') names.add(textOf(name).toLowerCase())
  }
  walkSql(tree, (node) => {
    if (isFromItem(node)) {
      add(node['alias'])
      add(node['table_name'])
      if (isSqlNode(node['function'])) add(node['function']['function_name'])
    }
    if (isSqlNode(node['cte_map']))
      for (const entry of listOf(node['cte_map']['map'])) if (isSqlNode(entry)) add(entry['key'])
    add(node['cte_name'])
  })
  return names
}

/** FROM items have an alias and a sample; expressions have a class. */
function isFromItem(node: SqlNode): boolean {
  return 'sample' in node && 'alias' in node && !('class' in node)
}
