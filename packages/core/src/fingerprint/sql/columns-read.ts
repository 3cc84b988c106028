/**
 * Which columns a query can depend on, from its tree alone: all identifiers anywhere in it, later cut with the columns of
 * the snapshot at hand. Whatever is not on the allow-lists below means all columns: this may only ever answer too much.
 */
import type { Json } from '../../canonical.ts'
import type { ColumnSchema } from '../../model/snapshot.ts'
import { isSqlNode, listOf, relationNames, textOf, walkSql } from './sql-tree.ts'
import type { SqlNode } from './sql-tree.ts'

const queryNodes = new Set(['SELECT_NODE', 'SET_OPERATION_NODE'])
const fromNodes = new Set(['BASE_TABLE', 'JOIN', 'SUBQUERY', 'EMPTY', 'EXPRESSION_LIST', 'TABLE_FUNCTION'])
const modifiers = new Set(['ORDER_MODIFIER', 'LIMIT_MODIFIER', 'DISTINCT_MODIFIER', 'LIMIT_PERCENT_MODIFIER'])
const expressionClasses = new Set([
  'COLUMN_REF',
  'CONSTANT',
  'FUNCTION',
  'COMPARISON',
  'CONJUNCTION',
  'OPERATOR',
  'CASE',
  'CAST',
  'BETWEEN',
  'SUBQUERY',
  'WINDOW',
  'PARAMETER',
  'LAMBDA',
  'COLLATE',
])
const orderTypes = new Set(['ORDER_DEFAULT', 'ASCENDING', 'DESCENDING'])
const joinRefs = new Set(['REGULAR', 'CROSS', 'ASOF'])
/** Their columns do not depend on any relation's. */
const tableFunctions = new Set(['range', 'generate_series', 'unnest', 'repeat', 'repeat_row', 'json_each', 'json_tree'])

/** Lower-case identifiers in order of name; null when the query must be taken to read every column. */
export function columnsRead(tree: Json, macros: ReadonlySet<string>): readonly string[] | null {
  if (!isSqlNode(tree)) return null
  const relations = relationNames(tree)
  const identifiers = new Set<string>()
  let readsAll = false
  walkSql(tree, (node) => {
    if (readsAll) return false
    if (!isKnown(node) || readsWholeRows(node, relations) || callsUnknown(node, macros)) readsAll = true
    collectIdentifiers(node, identifiers)
    // A constant's text names nothing.
    return node['class'] !== 'CONSTANT'
  })
  return readsAll ? null : [...identifiers].sort()
}

/** The columns of one snapshot among the identifiers, in the snapshot's order; null for all. */
export function columnsOfSnapshot(
  read: readonly string[] | null,
  columns: readonly ColumnSchema[],
): readonly string[] | null {
  if (read === null) return null
  const identifiers = new Set(read)
  const names = columns.map((column) => column.name)
  // Two columns that differ in case only are the same identifier to SQL: which one is meant is not for us to say.
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length) return null
  // Also when it is all of them: a column that is added later must leave the digest as it is.
  return names.filter((name) => identifiers.has(name.toLowerCase()))
}

function isKnown(node: SqlNode): boolean {
  const type = textOf(node['type'])
  if ('class' in node) return expressionClasses.has(textOf(node['class']))
  if ('select_list' in node || 'setop_type' in node || type.endsWith('_NODE')) return queryNodes.has(type)
  if ('sample' in node && 'alias' in node) return fromNodes.has(type)
  if (type.endsWith('_MODIFIER')) return modifiers.has(type)
  if ('null_order' in node) return orderTypes.has(type)
  return true
}

function readsWholeRows(node: SqlNode, relations: ReadonlySet<string>): boolean {
  if (listOf(node['column_name_alias']).length > 0 || listOf(node['aliases']).length > 0) return true
  if (node['at_clause'] !== undefined && node['at_clause'] !== null) return true
  if (typeof node['ref_type'] === 'string' && !joinRefs.has(node['ref_type'])) return true
  if (textOf(node['setop_type']).includes('BY_NAME')) return true
  if (node['class'] === 'COLUMN_REF') {
    // `o.id` is a column of `o`; a path that ends in a relation's name, or is one, may be the row itself.
    const path = listOf(node['column_names']).map((part) => textOf(part).toLowerCase())
    return path.slice(1).some((part) => relations.has(part)) || (path.length === 1 && relations.has(path[0]!))
  }
  return listOf(node['using_columns']).some((column) => relations.has(textOf(column).toLowerCase()))
}

function callsUnknown(node: SqlNode, macros: ReadonlySet<string>): boolean {
  if (node['type'] === 'TABLE_FUNCTION') {
    const call = isSqlNode(node['function']) ? node['function'] : {}
    if (!tableFunctions.has(textOf(call['function_name']).toLowerCase())) return true
  }
  return typeof node['function_name'] === 'string' && macros.has(node['function_name'].toLowerCase())
}

/** Strings that the engine itself chose; all other strings count as identifiers. */
const engineWords = new Set([
  'class',
  'type',
  'id',
  'ref_type',
  'join_type',
  'setop_type',
  'aggregate_handling',
  'null_order',
  'materialized',
  'start',
  'end',
  'exclude_clause',
  'with_ordinality',
  'subquery_type',
  'comparison_type',
  'method',
  'function_name',
])

function collectIdentifiers(node: SqlNode, into: Set<string>): void {
  for (const [key, value] of Object.entries(node)) {
    if (engineWords.has(key)) continue
    if (typeof value === 'string' && value !== '') into.add(value.toLowerCase())
    for (const item of listOf(value)) if (typeof item === 'string') into.add(item.toLowerCase())
  }
}
