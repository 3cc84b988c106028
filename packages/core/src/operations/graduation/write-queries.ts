/**
 * Queries of a converted notebook as files of SQL assets: read by the engine's own parser, which says what each reads.
 * A query that reads anything but tables of the pipeline, or that may give another result each time, is no asset.
 */
import type { Json } from '../../canonical.ts'
import type { ParsedSql, SqlParser } from '../../engines/sql-parser.ts'
import { queryFacts } from '../../fingerprint/sql/query-facts.ts'
import type { QueryFacts } from '../../fingerprint/sql/query-facts.ts'
import { isSqlNode, listOf, locationOf, textOf, walkSql } from '../../fingerprint/sql/sql-tree.ts'
import { volatileCalls } from '../../fingerprint/sql/volatile-functions.ts'
import type { GraduatedStep, Graduation } from '../../notebook/graduation.ts'
import { queryText } from '../../notebook/graduate/sql-queries.ts'
import type { QueryStep } from '../../notebook/graduate/sql-queries.ts'

export interface WrittenQueries {
  readonly graduation: Graduation
  /** By statement, why it is no asset. */
  readonly unfit: ReadonlyMap<number, string>
  /** Statements whose sums can be written as the floats that pandas makes of them. */
  readonly summing: ReadonlySet<number>
}

/** `asFloats`: statements whose sums are written so. */
export async function writeQueries(
  parser: SqlParser,
  graduation: Graduation,
  asFloats: ReadonlySet<number>,
): Promise<WrittenQueries> {
  const queries = (graduation.queries ?? []).map((query) => ({ query, sql: queryText(query.sql) }))
  const parsed = queries.length === 0 ? [] : await parser.parse(queries.map(({ sql }) => sql))
  const unfit = new Map<number, string>()
  const summing = new Set<number>()
  const steps = new Map<string, GraduatedStep>()
  const files = [...graduation.files]
  for (const [i, { query, sql }] of queries.entries()) {
    const step = graduation.steps.find(({ name }) => name === query.step)!
    const why = whyUnfit(graduation, step, { sql, parsed: parsed[i]! })
    if (why !== null) {
      unfit.set(query.unit, why)
      continue
    }
    const sums = sumEdits(sql, parsed[i]!.tree)
    if (sums.length > 0) summing.add(query.unit)
    const edits = [...relationEdits(sql, parsed[i]!.tree, step), ...(asFloats.has(query.unit) ? sums : [])]
    const text = fileText(query, edited(sql, edits))
    files.push({ path: step.file, text })
    const read = new Set(tables(parsed[i]!.tree).map(({ name }) => name.toLowerCase()))
    const inputs = step.inputs.filter(({ variable }) => read.has(variable.toLowerCase()))
    steps.set(step.name, { ...step, inputs, line: 1 + text.split('\n').findIndex((line) => !line.startsWith('--')) })
  }
  return {
    graduation: { ...graduation, files, steps: graduation.steps.map((step) => steps.get(step.name) ?? step) },
    unfit,
    summing,
  }
}

interface Read {
  readonly sql: string
  readonly parsed: ParsedSql
}

const plainFunctions = new Set(['range', 'generate_series', 'unnest'])

function whyUnfit(graduation: Graduation, step: GraduatedStep, { sql, parsed }: Read): string | null {
  const facts = queryFacts(sql, parsed, [])
  if (facts.problem !== null || !facts.hasTree) return 'it is not one SELECT'
  if (facts.parameters.length > 0) return 'it is given parameters'
  const [changing] = volatileCalls(facts)
  if (changing !== undefined) return `${changing.what} gives another result each time`
  if (
    facts.tableFunctions.some(({ name }) => !plainFunctions.has(name)) ||
    facts.relations.some(({ isFile }) => isFile)
  )
    return 'it reads a file by itself'
  return whyUnreadable(graduation, step, facts, parsed.tree)
}

/** DuckDB finds the frames of Python whatever their case; two that differ in it alone are not told apart. */
function whyUnreadable(graduation: Graduation, step: GraduatedStep, facts: QueryFacts, tree: Json): string | null {
  const outputs = graduation.steps.flatMap((one) => one.outputs)
  const named = cteNames(tree)
  const hidden = step.inputs.find(({ variable }) => named.has(variable.toLowerCase()))
  if (hidden !== undefined) return `${hidden.variable} is also the name of a WITH in it`
  for (const { name } of facts.relations) {
    const input = step.inputs.find(({ variable }) => variable === name)
    if (input === undefined) return `${name} is no frame of the notebook`
    const output = outputs.find(({ asset }) => asset === input.asset)
    if (output?.kind !== 'table') return `${name} cannot be kept as a table`
    if (output.variables.length !== 1) return `${name} is one object with other variables`
    if (step.inputs.filter(({ variable }) => variable.toLowerCase() === name.toLowerCase()).length > 1)
      return `${name} and another frame differ in case only`
  }
  return null
}

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

interface TableUse {
  readonly name: string
  readonly alias: string
  readonly location: number | null
}

function tables(tree: Json): readonly TableUse[] {
  const found: TableUse[] = []
  walkSql(tree, (node) => {
    if (node['type'] === 'BASE_TABLE')
      found.push({ name: textOf(node['table_name']), alias: textOf(node['alias']), location: locationOf(node) })
  })
  return found
}

function cteNames(tree: Json): ReadonlySet<string> {
  const names = new Set<string>()
  walkSql(tree, (node) => {
    if (!isSqlNode(node['cte_map'])) return
    for (const entry of listOf(node['cte_map']['map']))
      if (isSqlNode(entry)) names.add(textOf(entry['key']).toLowerCase())
  })
  return names
}

/** A frame whose asset has another name than its variable is read under that, and called as before in the query. */
function relationEdits(sql: string, tree: Json, step: GraduatedStep): readonly Edit[] {
  return tables(tree).flatMap(({ name, alias, location }) => {
    const input = step.inputs.find(({ variable }) => variable === name)
    if (input === undefined || input.asset === null || input.asset === name || location === null) return []
    const start = characterAt(sql, location)
    const written = sql.slice(start, start + name.length) === name ? name.length : name.length + 2
    return [{ start, end: start + written, text: alias === '' ? `${input.asset} AS ${name}` : input.asset }]
  })
}

/** pandas holds what `sum` gives as a float, since DuckDB adds whole numbers in 128 bits. */
function sumEdits(sql: string, tree: Json): readonly Edit[] {
  const top = isSqlNode(tree) && isSqlNode(tree['node']) ? tree['node'] : null
  return listOf(top?.['select_list']).flatMap((item): readonly Edit[] => {
    if (!isSqlNode(item) || item['class'] !== 'FUNCTION' || textOf(item['function_name']).toLowerCase() !== 'sum')
      return []
    const location = locationOf(item)
    if (location === null) return []
    const start = characterAt(sql, location)
    const end = closingAt(sql, start)
    if (end === null || !/^sum\s*\(/iu.test(sql.slice(start))) return []
    const name = textOf(item['alias']) === '' ? ` AS "${sql.slice(start, end).replaceAll('"', '""')}"` : ''
    return [{ start: end, end, text: `::DOUBLE${name}` }]
  })
}

/** After the bracket that closes the first one; null for texts with quotes, brackets in which would count. */
function closingAt(sql: string, start: number): number | null {
  let depth = 0
  for (let at = start; at < sql.length; at++) {
    if (`'"$-`.includes(sql[at]!)) return null
    if (sql[at] === '(') depth++
    else if (sql[at] === ')' && --depth === 0) return /^\s*(filter|over)\b/iu.test(sql.slice(at + 1)) ? null : at + 1
  }
  return null
}

/** The engine counts bytes. */
function characterAt(sql: string, byte: number): number {
  return Buffer.from(sql, 'utf8').subarray(0, byte).toString('utf8').length
}

function edited(sql: string, edits: readonly Edit[]): string {
  let text = sql
  for (const { start, end, text: by } of edits.toSorted((a, b) => b.start - a.start))
    text = text.slice(0, start) + by + text.slice(end)
  return text
}

/** A line that began with @ would be an annotation. */
function fileText(query: QueryStep, sql: string): string {
  const lines = query.description === '' ? [] : query.description.trim().split('\n')
  const comment = lines.map((line) => (line.trim() === '' ? '--' : `-- ${line.trim().replace(/^@/u, '(at) ')}`))
  return `${[...comment, sql].join('\n')}\n`
}
