/**
 * `assets/**.sql` to assets: what a file says by itself, before names are joined. The engine is asked only about texts
 * that no cache knows. Joining with views and macros is link-sql.ts.
 */
import path from 'node:path'
import type { Diagnostic, Place } from '../../diagnostics.ts'
import type { QueryFacts } from '../../fingerprint/sql/query-facts.ts'
import { placeAt, topOf } from '../place.ts'
import { plainName } from '../step-options.ts'
import { readAnnotations } from './annotations.ts'
import type { Annotations } from './annotations.ts'
import { discoverMacros } from './discover-macros.ts'
import type { MacroFact } from './discover-macros.ts'
import { factsOfTexts } from './parse-cache.ts'
import type { SqlParsing } from './parse-cache.ts'

export interface ProjectFile {
  /** Relative to the root, with forward slashes. */
  readonly file: string
  readonly text: string
}

export interface SqlAsset {
  readonly name: string
  readonly file: string
  readonly text: string
  readonly place: Place
  readonly facts: QueryFacts
  readonly annotations: Annotations
  /** Facts of each check's expression, by its text. */
  readonly checks: Readonly<Record<string, QueryFacts>>
}

export interface DiscoveredSql {
  readonly assets: readonly SqlAsset[]
  readonly macros: readonly MacroFact[]
  readonly diagnostics: readonly Diagnostic[]
}

export async function discoverSql(
  files: readonly ProjectFile[],
  macroFiles: readonly ProjectFile[],
  parsing: SqlParsing,
): Promise<DiscoveredSql> {
  const { macros, diagnostics: macroProblems } = await discoverMacros(parsing, macroFiles)
  const diagnostics: Diagnostic[] = [...macroProblems]
  const facts = await factsOfTexts(
    parsing,
    files.map((file) => file.text),
  )
  const annotated = files.map(({ file, text }, i) => readAnnotations(file, text, facts[i]!.comments))
  const expressions = await checkFacts(parsing, annotated)
  const assets: SqlAsset[] = []
  for (const [i, { file, text }] of files.entries()) {
    const name = assetName(file)
    const annotations = annotated[i]!
    diagnostics.push(...annotations.diagnostics)
    const place = queryPlace(file, text)
    if (name === null) {
      diagnostics.push(badName(file, text))
      continue
    }
    const broken = brokenQuery(file, text, facts[i]!)
    if (broken !== null) diagnostics.push(broken)
    const checks = Object.fromEntries(
      annotations.checks.flatMap(({ rule }) =>
        rule.type === 'expression' ? [[rule.sql, expressions.get(rule.sql)!]] : [],
      ),
    )
    assets.push({ name, file, text, place, facts: facts[i]!, annotations, checks })
  }
  return { assets, macros, diagnostics }
}

/** `assets/staging/orders.sql` is `staging.orders`; null where a part cannot be a name. */
export function assetName(file: string, own: string = path.posix.basename(file).replace(/\.\w+$/, '')): string | null {
  const folder = path.posix.dirname(file).split('/').slice(1)
  const parts = [...folder, own]
  return parts.every((part) => plainName.test(part)) ? parts.join('.') : null
}

export function badName(file: string, text: string): Diagnostic {
  const wrong = file
    .split('/')
    .slice(1)
    .map((part) => part.replace(/\.\w+$/, ''))
    .find((part) => !plainName.test(part))
  return {
    code: 'D014',
    severity: 'error',
    message: `'${wrong}' cannot be part of an asset's name`,
    at: topOf(file, text),
    notes: ['folders and files below assets/ make the name'],
    fix: 'use letters, digits and _ in the names of folders and files',
  }
}

/** The first line of the query itself, after comments. */
function queryPlace(file: string, text: string): Place {
  const match = /^(?:\s+|--[^\n]*|\/\*[\s\S]*?\*\/)*/.exec(text)
  const start = Math.min(match?.[0].length ?? 0, Math.max(0, text.length - 1))
  return placeAt(file, text, start, text.length)
}

async function checkFacts(
  parsing: SqlParsing,
  annotated: readonly Annotations[],
): Promise<ReadonlyMap<string, QueryFacts>> {
  const texts = annotated.flatMap(({ checks }) =>
    checks.flatMap(({ rule }) => (rule.type === 'expression' ? [rule.sql] : [])),
  )
  if (texts.length === 0) return new Map()
  // The line break keeps a comment in the expression from hiding the bracket.
  const facts = await factsOfTexts(
    { ...parsing, cacheKey: `${parsing.cacheKey}-checks` },
    texts.map((text) => `SELECT (${text}\n)`),
  )
  return new Map(texts.map((text, i) => [text, facts[i]!]))
}

function brokenQuery(file: string, text: string, { problem, hasTree }: QueryFacts): Diagnostic | null {
  if (problem !== null) {
    const { message, line, column, lineText } = problem
    const length = Math.max(1, /^\w+/.exec(lineText.slice(column - 1))?.[0].length ?? 1)
    const fix =
      problem.kind === 'many-statements'
        ? 'put each query in a file of its own'
        : 'an asset is one query: SELECT, FROM, WITH or VALUES'
    return { code: 'D002', severity: 'error', message, at: { file, line, column, length, lineText }, notes: [], fix }
  }
  if (hasTree) return null
  const message = 'the engine cannot say what this query reads'
  return {
    code: 'D032',
    severity: 'error',
    message,
    at: queryPlace(file, text),
    notes: [],
    fix: 'write it without PIVOT over unknown values and other statements in its FROM',
  }
}
