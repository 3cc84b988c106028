/**
 * Everything that later stages ask of a query, taken from its tree once and small enough to be cached: the tree itself is
 * not kept. Facts depend on the text and the engine's version alone; what macros add is joined by sql-closures.ts.
 */
import { digestOf } from '../../canonical.ts'
import type { Json } from '../../canonical.ts'
import type { FunctionFact, ParsedSql, SqlCommentLine, SqlProblem } from '../../engines/sql-parser.ts'
import { columnsRead } from './columns-read.ts'
import { orderOf } from './order.ts'
import type { OrderFacts } from './order.ts'
import { isSqlNode, listOf, locationOf, relationsOf, textOf, walkSql, withoutPlaces } from './sql-tree.ts'
import type { SqlNode } from './sql-tree.ts'

/** Offsets are UTF-16 units in the query's text; null where the engine does not tell. */
export interface NamedPlace {
  readonly name: string
  readonly offset: number | null
}

export interface RelationFact extends NamedPlace {
  readonly isFile: boolean
}

export interface CalledFunction extends FunctionFact {
  readonly offset: number | null
  /** Called somewhere with one argument only. */
  readonly unary: boolean
}

export interface QueryFacts {
  readonly problem: SqlProblem | null
  readonly comments: readonly SqlCommentLine[]
  readonly digest: string
  readonly relations: readonly RelationFact[]
  readonly functions: readonly CalledFunction[]
  readonly tableFunctions: readonly NamedPlace[]
  /** `current_date` and its like, which look like columns. */
  readonly clocks: readonly NamedPlace[]
  readonly samples: readonly NamedPlace[]
  readonly parameters: readonly NamedPlace[]
  /** Identifiers for column sets; null for all columns. */
  readonly reads: readonly string[] | null
  readonly order: OrderFacts
  /** False for queries that the engine runs but cannot write as a tree. */
  readonly hasTree: boolean
}

const noMacros: ReadonlySet<string> = new Set()

/** `longNumbers`: numbers of the text that JSON trees cannot hold exactly. */
export function queryFacts(text: string, parsed: ParsedSql, longNumbers: readonly string[]): QueryFacts {
  const { tree, problem, comments } = parsed
  const offsets = characterOffsets(text)
  const place = (name: string, location: number | null): NamedPlace => ({
    name,
    offset: location === null ? null : offsets(location),
  })
  const seen = tree === null ? emptyCollection() : collect(tree)
  return {
    problem,
    comments,
    digest: tree === null ? digestOf(text) : digestOf([withoutPlaces(tree), [...longNumbers]]),
    relations: relationsOf(tree).map(({ name, location, isFile }) => ({ ...place(name, location), isFile })),
    functions: parsed.functions.map((fact) => {
      const call = seen.calls.get(fact.name)
      return { ...fact, offset: place('', call?.location ?? null).offset, unary: call?.unary ?? false }
    }),
    tableFunctions: seen.tableFunctions.map(({ name, location }) => place(name, location)),
    clocks: seen.clocks.map(({ name, location }) => place(name, location)),
    samples: seen.samples.map(({ name, location }) => place(name, location)),
    parameters: [...seen.parameters].sort().map((name) => place(name, offsetOfParameter(text, name))),
    reads: columnsRead(tree, noMacros),
    order: orderOf(tree, parsed.functions, noMacros),
    hasTree: tree !== null,
  }
}

interface Located {
  readonly name: string
  readonly location: number | null
}
interface Collection {
  readonly calls: Map<string, { location: number | null; unary: boolean }>
  readonly tableFunctions: Located[]
  readonly clocks: Located[]
  readonly samples: Located[]
  readonly parameters: Set<string>
}

function emptyCollection(): Collection {
  return { calls: new Map(), tableFunctions: [], clocks: [], samples: [], parameters: new Set() }
}

const clockColumns = new Set(['current_date', 'current_time', 'current_timestamp', 'localtime', 'localtimestamp'])

function collect(tree: Json): Collection {
  const collection = emptyCollection()
  walkSql(tree, (node) => {
    collectCall(node, collection)
    if (node['type'] === 'TABLE_FUNCTION' && isSqlNode(node['function'])) {
      collection.tableFunctions.push({
        name: textOf(node['function']['function_name']).toLowerCase(),
        location: locationOf(node),
      })
    }
    if (node['class'] === 'COLUMN_REF') {
      const path = listOf(node['column_names'])
      const name = textOf(path[0]).toLowerCase()
      if (path.length === 1 && clockColumns.has(name)) collection.clocks.push({ name, location: locationOf(node) })
    }
    const { sample } = node
    if (isSqlNode(sample) && !(typeof sample['seed'] === 'number' && sample['seed'] >= 0)) {
      collection.samples.push({ name: 'sample', location: locationOf(node) })
    }
    if (node['class'] === 'PARAMETER') collection.parameters.add(textOf(node['identifier']))
  })
  return collection
}

function collectCall(node: SqlNode, { calls }: Collection): void {
  const name = textOf(node['function_name'])
  if (name === '' || node['is_operator'] === true) return
  const unary = listOf(node['children']).length === 1
  const known = calls.get(name)
  if (known === undefined) calls.set(name, { location: locationOf(node), unary })
  else known.unary ||= unary
}

/** The engine tells no place for parameters: the first `$name` is near enough. */
function offsetOfParameter(text: string, name: string): number | null {
  const found = text.search(new RegExp(`\\$${name.replaceAll(/[^\w]/g, '\\$&')}(?!\\w)`))
  return found < 0 ? null : Buffer.byteLength(text.slice(0, found))
}

/** Byte offsets of UTF-8 to offsets of the string; both are the same in plain ASCII. */
function characterOffsets(text: string): (bytes: number) => number {
  const buffer = Buffer.from(text, 'utf8')
  if (buffer.length === text.length) return (bytes) => bytes
  return (bytes) => buffer.subarray(0, bytes).toString('utf8').length
}
