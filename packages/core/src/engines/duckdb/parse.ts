/**
 * SQL texts to trees by DuckDB's own parser, in a database that can open nothing. Nothing of the user's runs here,
 * except `CREATE MACRO`, which only stores a definition.
 */
import { DuckDBInstance } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Json } from '../../canonical.ts'
import { nearestName } from '../../model/nearest.ts'
import type { FunctionFact, MacroFile, ParsedMacro, ParsedMacros, ParsedSql, SqlProblem } from '../sql-parser.ts'
import { queryError } from './query-error.ts'
import { placeOfByte, placeOfCharacter, quoteLiteral, readSqlShell } from './sql-text.ts'
import { textRows } from './text-rows.ts'

export async function parseTexts(texts: readonly string[]): Promise<readonly ParsedSql[]> {
  return withParser(async (connection) => {
    const parsed: ParsedSql[] = []
    for (const text of texts) parsed.push(await parseText(connection, text))
    return withFunctions(connection, parsed)
  })
}

/** Listing DuckDB's functions costs as much as parsing a dozen queries, so it is done once for all. */
async function withFunctions(
  connection: DuckDBConnection,
  parsed: readonly ParsedSql[],
): Promise<readonly ParsedSql[]> {
  const named = parsed.map(({ tree }) => (tree === null ? [] : functionNames(tree)))
  const facts = await functionFacts(connection, [...new Set(named.flat())])
  const known = new Map(facts.map((fact) => [fact.name, fact]))
  return parsed.map((text, i) => ({ ...text, functions: named[i]!.map((name) => known.get(name)!) }))
}

async function withParser<T>(use: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  try {
    const connection = await instance.connect()
    await connection.run('SET errors_as_json = true; SET enable_external_access = false; SET lock_configuration = true')
    return await use(connection)
  } finally {
    instance.closeSync()
  }
}

interface Serialized {
  readonly error: boolean
  readonly error_type?: string
  readonly error_message?: string
  readonly position?: string
  readonly statements?: readonly Json[]
}

async function parseText(connection: DuckDBConnection, text: string): Promise<ParsedSql> {
  const shell = readSqlShell(text)
  const comments = shell.lineComments
  const failed = (problem: SqlProblem): ParsedSql => ({ tree: null, problem, comments, functions: [] })
  if (shell.bare.replaceAll(';', '').trim() === '') {
    return failed({ kind: 'empty', message: 'The file holds no query.', ...placeOfByte(text, 0) })
  }
  const answer = await serialize(connection, text)
  if (answer.error) {
    const start = Buffer.byteLength(text.slice(0, shell.bare.search(/[^\s;]/)))
    if (answer.error_type !== 'not implemented') {
      const place =
        answer.position === undefined ? placeOfByte(text, start) : placeOfCharacter(text, Number(answer.position))
      return failed({ kind: 'syntax', message: answer.error_message ?? 'The query does not parse.', ...place })
    }
    // PIVOT and a few others are queries that cannot be written as a tree: they run, and count as reading everything.
    if (await isQuery(connection, shell.body)) return { tree: null, problem: null, comments, functions: [] }
    const message = 'Only a query (SELECT, FROM, WITH, VALUES) makes an asset.'
    return failed({ kind: 'not-a-query', message, ...placeOfByte(text, start) })
  }
  const statements = answer.statements ?? []
  if (statements.length !== 1) {
    const second = Buffer.byteLength(text.slice(0, secondStatement(shell.bare)))
    const message = `The file holds ${statements.length} statements; an asset is one query.`
    return failed({ kind: 'many-statements', message, ...placeOfByte(text, second) })
  }
  const tree = statements[0] ?? null
  return { tree, problem: null, comments, functions: [] }
}

function secondStatement(bare: string): number {
  const end = bare.indexOf(';')
  const next = bare.slice(end + 1).search(/[^\s;]/)
  return next < 0 ? 0 : end + 1 + next
}

async function serialize(connection: DuckDBConnection, text: string): Promise<Serialized> {
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [text])
  return JSON.parse(String(reader.value(0, 0))) as Serialized
}

async function isQuery(connection: DuckDBConnection, body: string): Promise<boolean> {
  const inside = await connection.extractStatements(`SELECT * FROM (\n${body}\n)`).catch(() => null)
  return inside !== null && inside.count > 0
}

/** Operators are functions too; they are left out, since they always exist and are always consistent. */
function functionNames(tree: Json): readonly string[] {
  const names = new Set<string>()
  const visit = (value: Json | undefined): void => {
    if (value === null || typeof value !== 'object') return
    if (Array.isArray(value)) {
      for (const item of value as readonly Json[]) visit(item)
      return
    }
    const node = value as { readonly [key: string]: Json | undefined }
    if (typeof node['function_name'] === 'string' && node['is_operator'] !== true) names.add(node['function_name'])
    for (const member of Object.values(node)) visit(member)
  }
  visit(tree)
  return [...names].sort()
}

const stabilityRank = ['CONSISTENT', 'CONSISTENT_WITHIN_QUERY', 'VOLATILE'] as const

async function functionFacts(connection: DuckDBConnection, names: readonly string[]): Promise<readonly FunctionFact[]> {
  if (names.length === 0) return []
  const list = names.map((name) => quoteLiteral(name.toLowerCase())).join(', ')
  const reader = await connection.runAndReadAll(
    `SELECT DISTINCT lower(function_name), function_type, coalesce(stability, 'CONSISTENT')
     FROM duckdb_functions() WHERE lower(function_name) IN (${list})`,
  )
  const rows = textRows(reader)
  const facts: FunctionFact[] = []
  for (const name of names) {
    const found = rows.filter((row) => row[0] === name.toLowerCase())
    const worst = Math.max(-1, ...found.map((row) => (stabilityRank as readonly string[]).indexOf(row[2] ?? '')))
    facts.push({
      name,
      stability: found.length === 0 ? null : (stabilityRank[worst] ?? 'VOLATILE'),
      type: functionType(found.map((row) => row[1] ?? '')),
      suggestion: found.length === 0 ? await nearestFunction(connection, name) : null,
    })
  }
  return facts
}

function functionType(types: readonly string[]): FunctionFact['type'] {
  if (types.some((type) => type.includes('macro'))) return 'macro'
  if (types.includes('aggregate')) return 'aggregate'
  if (types.includes('table')) return 'table'
  return types.includes('scalar') ? 'scalar' : 'other'
}

async function nearestFunction(connection: DuckDBConnection, name: string): Promise<string | null> {
  const reader = await connection.runAndReadAll(
    `SELECT DISTINCT function_name FROM duckdb_functions() WHERE regexp_matches(function_name, '^[a-z]')`,
  )
  return nearestName(
    name.toLowerCase(),
    textRows(reader).map((row) => row[0] ?? ''),
  )
}

const createMacro = /^\s*create\s+(or\s+replace\s+)?(temp\s+|temporary\s+)?(macro|function)\b/i

export async function parseMacroFiles(files: readonly MacroFile[]): Promise<ParsedMacros> {
  return withParser(async (connection) => {
    const macros: ParsedMacro[] = []
    const problems: (SqlProblem & { file: string })[] = []
    const seen = new Set<string>()
    for (const { file, text } of files) {
      const shell = readSqlShell(text)
      const bad = misplaced(shell.bare)
      if (bad !== null) {
        const message = 'Files below sql/macros hold CREATE MACRO statements only.'
        problems.push({
          file,
          kind: 'not-a-query',
          message,
          ...placeOfByte(text, Buffer.byteLength(text.slice(0, bad))),
        })
        continue
      }
      try {
        await connection.run(text)
      } catch (error) {
        const failure = queryError(error, { sql: text, prefix: '' })
        const { line, column, lineText } = { ...placeOfByte(text, 0), ...failure.details }
        problems.push({ line, column, lineText, file, kind: 'syntax', message: failure.message })
        continue
      }
      for (const macro of await definedMacros(connection, file)) {
        const key = `${macro.name}(${macro.parameters.join()})${macro.definition}`
        if (seen.has(key)) continue
        seen.add(key)
        macros.push(macro)
      }
    }
    return { macros, problems }
  })
}

/** Index of the first statement that is not CREATE MACRO. */
function misplaced(bare: string): number | null {
  let at = 0
  for (const statement of bare.split(';')) {
    if (statement.trim() !== '' && !createMacro.test(statement)) return at + statement.search(/\S/)
    at += statement.length + 1
  }
  return null
}

async function definedMacros(connection: DuckDBConnection, file: string): Promise<readonly ParsedMacro[]> {
  const reader = await connection.runAndReadAll(
    `SELECT function_name, function_type, parameters, macro_definition FROM duckdb_functions()
     WHERE NOT internal AND function_type IN ('macro', 'table_macro') ORDER BY ALL`,
  )
  const macros: ParsedMacro[] = []
  for (const [name, type, parameters, definition] of textRows(reader)) {
    const answer = await serialize(connection, type === 'macro' ? `SELECT ${definition}` : (definition ?? ''))
    macros.push({
      name: name ?? '',
      file,
      parameters: JSON.parse(parameters ?? '[]') as readonly string[],
      definition: definition ?? '',
      tree: answer.error ? null : (answer.statements?.[0] ?? null),
    })
  }
  return macros
}
