/**
 * What row order means to a query. `orderFree`: its result is a function of its inputs as multisets. `unordered`: the
 * order of its own rows carries no meaning. Both answers come from allow-lists; in doubt order matters as an input
 * (sequence) and does not bind the result (unordered).
 */
import { canonicalJson } from '../../canonical.ts'
import type { Json } from '../../canonical.ts'
import type { FunctionFact } from '../../engines/sql-parser.ts'
import { isSqlNode, listOf, textOf, walkSql, withoutPlaces } from './sql-tree.ts'
import type { SqlNode } from './sql-tree.ts'

export interface OrderFacts {
  readonly unordered: boolean
  /** Its author sorts it, by what may tie: rows are kept as the query gives them. */
  readonly sorted: boolean
  readonly orderFree: boolean
}

export function orderOf(tree: Json, functions: readonly FunctionFact[], macros: ReadonlySet<string>): OrderFacts {
  const top = isSqlNode(tree) && isSqlNode(tree['node']) ? tree['node'] : null
  if (top === null) return { unordered: true, sorted: false, orderFree: false }
  const sorted = listOf(top['modifiers']).some((item) => isSqlNode(item) && item['type'] === 'ORDER_MODIFIER')
  return { unordered: !hasTotalOrder(top), sorted, orderFree: isOrderFree(top, functions, macros) }
}

/** ORDER BY ALL, or one that names every output column, or every group of a plain GROUP BY. */
function hasTotalOrder(top: SqlNode): boolean {
  const orders = listOf(top['modifiers'])
    .filter(isSqlNode)
    .filter((modifier) => modifier['type'] === 'ORDER_MODIFIER')
  const expressions = orders
    .flatMap((modifier) => listOf(modifier['orders']))
    .flatMap((order) => (isSqlNode(order) && isSqlNode(order['expression']) ? [order['expression']] : []))
  if (expressions.length === 0) return false
  if (expressions.some((expression) => expression['class'] === 'STAR')) return true
  if (top['type'] !== 'SELECT_NODE') return false
  const items = listOf(top['select_list']).filter(isSqlNode)
  if (items.some((item) => hasStar(item) || multiplies(item))) return false
  const candidates = items.map((item, i) => ({ item, position: i + 1 }))
  // One that could mean two different outputs is not counted: nothing is guessed about which of them it sorts by.
  const clear = expressions.filter((expression) => {
    const meant = candidates.filter(({ item, position }) => means(expression, item, position))
    return meant.length < 2 || meant.every(({ item }) => sameExpression(item, meant[0]!.item))
  })
  const covered = (wanted: SqlNode, position: number | null): boolean =>
    clear.some((expression) => means(expression, wanted, position))
  if (items.every((item, i) => covered(item, i + 1))) return true
  const groups = listOf(top['group_expressions']).filter(isSqlNode)
  if (groups.length === 0 || listOf(top['group_sets']).length !== 1) return false
  return groups.every((group) => {
    const item = items.findIndex((candidate) => sameExpression(candidate, group))
    return covered(group, item < 0 ? null : item + 1) || (item >= 0 && covered(items[item]!, item + 1))
  })
}

function hasStar(item: SqlNode): boolean {
  return item['class'] === 'STAR'
}

/** `unnest` in SELECT makes several rows of one. */
function multiplies(item: SqlNode): boolean {
  let found = false
  walkSql(item, (node) => {
    if (/^(unnest|unlist|generate_subscripts)$/i.test(textOf(node['function_name']))) found = true
  })
  return found
}

/** ORDER BY names an output by position, by alias, or by the same expression. */
function means(expression: SqlNode, wanted: SqlNode, position: number | null): boolean {
  if (expression['class'] === 'CONSTANT' && isSqlNode(expression['value']))
    return expression['value']['value'] === position
  const path = listOf(expression['column_names'])
  const alias = textOf(wanted['alias'])
  if (path.length === 1 && alias !== '' && textOf(path[0]).toLowerCase() === alias.toLowerCase()) return true
  // An alias of another column could hide the name of this one.
  return alias === '' && sameExpression(expression, wanted)
}

function sameExpression(a: SqlNode, b: SqlNode): boolean {
  return canonicalJson(withoutPlaces({ ...a, alias: '' })) === canonicalJson(withoutPlaces({ ...b, alias: '' }))
}

const freeAggregates = new Set(['count', 'count_star', 'count_if', 'min', 'max', 'bool_and', 'bool_or'])
const freeExpressions = new Set([
  'COLUMN_REF',
  'CONSTANT',
  'FUNCTION',
  'COMPARISON',
  'CONJUNCTION',
  'OPERATOR',
  'CASE',
  'CAST',
  'BETWEEN',
  'PARAMETER',
  'COLLATE',
  'STAR',
])
const freeFrom = new Set(['BASE_TABLE', 'JOIN', 'SUBQUERY', 'EMPTY', 'EXPRESSION_LIST'])
const freeJoins = new Set(['INNER', 'LEFT', 'RIGHT', 'OUTER', 'FULL', 'SEMI', 'ANTI'])

function isOrderFree(top: SqlNode, functions: readonly FunctionFact[], macros: ReadonlySet<string>): boolean {
  const facts = new Map(functions.map((fact) => [fact.name.toLowerCase(), fact]))
  let free = true
  walkSql(top, (node) => {
    if (!free) return false
    free = isFreeNode(node, node === top) && isFreeCall(node, facts, macros)
    return undefined
  })
  return free
}

function isFreeNode(node: SqlNode, isTop: boolean): boolean {
  const type = textOf(node['type'])
  if ('class' in node) return freeExpressions.has(textOf(node['class']))
  if (node['sample'] !== undefined && node['sample'] !== null) return false
  if ('sample' in node && 'alias' in node) {
    if (type !== 'JOIN') return freeFrom.has(type)
    return freeJoins.has(textOf(node['join_type'])) && ['REGULAR', 'CROSS'].includes(textOf(node['ref_type']))
  }
  if (type.endsWith('_NODE')) {
    const modifiers = listOf(node['modifiers']).filter(isSqlNode)
    return (
      ['SELECT_NODE', 'SET_OPERATION_NODE'].includes(type) &&
      modifiers.every((modifier) => isFreeModifier(modifier, isTop))
    )
  }
  return true
}

/** The last sort of a result changes its order alone; a limit, or DISTINCT ON, chooses rows by it. */
function isFreeModifier(modifier: SqlNode, isTop: boolean): boolean {
  if (modifier['type'] === 'ORDER_MODIFIER') return isTop
  return modifier['type'] === 'DISTINCT_MODIFIER' && listOf(modifier['distinct_on_targets']).length === 0
}

function isFreeCall(node: SqlNode, facts: ReadonlyMap<string, FunctionFact>, macros: ReadonlySet<string>): boolean {
  if (node['class'] !== 'FUNCTION' || node['is_operator'] === true) return true
  const name = textOf(node['function_name']).toLowerCase()
  if (macros.has(name)) return false
  const fact = facts.get(name)
  if (fact?.type === 'aggregate') {
    return freeAggregates.has(name) || (name === 'sum' && listOf(node['children']).every(isExactNumber))
  }
  return fact?.type === 'scalar' && fact.stability === 'CONSISTENT' && !multiplies(node)
}

/** A cast to an integer or decimal, or such a constant: the sum of floats depends on their order. */
function isExactNumber(value: Json): boolean {
  if (!isSqlNode(value)) return false
  const type =
    value['class'] === 'CAST'
      ? value['cast_type']
      : value['class'] === 'CONSTANT' && isSqlNode(value['value'])
        ? value['value']['type']
        : null
  return (
    isSqlNode(type ?? undefined) &&
    /^(U?(TINY|SMALL|BIG)INT|U?INTEGER|U?HUGEINT|DECIMAL)$/.test(textOf((type as SqlNode)['id']))
  )
}
