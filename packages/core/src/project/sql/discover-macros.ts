/** `sql/macros/*.sql`: each macro with its text, what it calls and what of it is volatile. Parsed only when a file is new. */
import { digestOf, sha256 } from '../../canonical.ts'
import type { Diagnostic } from '../../diagnostics.ts'
import type { MacroFile } from '../../engines/sql-parser.ts'
import { volatileCalls } from '../../fingerprint/sql/volatile-functions.ts'
import type { VolatileUse } from '../../fingerprint/closures.ts'
import { readCache, writeCache } from '../cache-file.ts'
import { placeAt } from '../place.ts'
import { factsOfTexts } from './parse-cache.ts'
import type { SqlParsing } from './parse-cache.ts'
import { normalisedStatements } from './sql-scan.ts'

export interface MacroFact {
  /** Lower case. */
  readonly name: string
  readonly file: string
  readonly digest: string
  /** Its CREATE statements, normalised. */
  readonly statements: readonly string[]
  /** Lower-case names of the functions in its body. */
  readonly calls: readonly string[]
  readonly volatile: readonly VolatileUse[]
}

export interface DiscoveredMacros {
  readonly macros: readonly MacroFact[]
  readonly diagnostics: readonly Diagnostic[]
}

export async function discoverMacros(parsing: SqlParsing, files: readonly MacroFile[]): Promise<DiscoveredMacros> {
  if (files.length === 0) return { macros: [], diagnostics: [] }
  const cacheName = `macros-${parsing.cacheKey}.json`
  const key = sha256(JSON.stringify([parsing.engineVersion, files]))
  const cached = readCache<DiscoveredMacros & { readonly key: string }>(parsing.cacheFolder, cacheName)
  if (cached?.key === key) return { macros: cached.macros, diagnostics: cached.diagnostics }
  const found = await parseMacros(parsing, files)
  writeCache(parsing.cacheFolder, cacheName, { key, ...found })
  return found
}

async function parseMacros(parsing: SqlParsing, files: readonly MacroFile[]): Promise<DiscoveredMacros> {
  const parser = await parsing.parser()
  const parsed = await parser.parseMacros(files)
  const diagnostics = parsed.problems.map((problem): Diagnostic => {
    const { file, message, line, column, lineText } = problem
    const at = { file, line, column, length: Math.max(1, lineText.length - column + 1), lineText }
    const fix = 'write  CREATE MACRO name(arguments) AS expression;  reading only its arguments'
    return { code: 'D002', severity: 'error', message, at, notes: [], fix }
  })
  const written = files.flatMap(({ file, text }) =>
    normalisedStatements(text).map((statement) => ({ file, text, statement })),
  )
  // The stability of what a macro calls is asked of the engine as of any query.
  const facts = await factsOfTexts(
    { ...parsing, cacheKey: `${parsing.cacheKey}-macros` },
    parsed.macros.map((macro) => bodyAsQuery(macro.definition)),
  )
  const byName = new Map<string, MacroFact>()
  for (const [i, macro] of parsed.macros.entries()) {
    const name = macro.name.toLowerCase()
    const own = written.filter(({ statement }) => nameOf(statement) === name)
    const before = byName.get(name)
    const fact = facts[i]!
    const volatile = volatileCalls(fact).map(({ kind, what }) => ({
      kind,
      what,
      file: macro.file,
      line: lineOf(own[0]?.text ?? '', macro.name, macro.file),
    }))
    byName.set(name, {
      name,
      file: macro.file,
      digest: digestOf(own.map(({ statement }) => statement)),
      statements: own.map(({ statement }) => statement),
      calls: [...new Set([...(before?.calls ?? []), ...fact.functions.map((call) => call.name.toLowerCase())])].sort(),
      volatile: [...(before?.volatile ?? []), ...volatile],
    })
  }
  return { macros: [...byName.values()], diagnostics }
}

/** A table macro's body is a query, another's an expression. */
function bodyAsQuery(definition: string): string {
  return /^\s*\(*\s*(select|from|with|values)\b/i.test(definition) ? definition : `SELECT ${definition}`
}

function nameOf(statement: string): string {
  const match =
    /^create (?:or replace )?(?:temp |temporary )?(?:macro|function) (?:if not exists )?(?:[\w"]+\.)*("(?:[^"]|"")+"|[\w\u0080-\uffff]+)/i.exec(
      statement,
    )
  return (match?.[1] ?? '').replaceAll('"', '').toLowerCase()
}

function lineOf(text: string, name: string, file: string): number {
  const offset = text.toLowerCase().indexOf(name.toLowerCase())
  return offset < 0 ? 1 : placeAt(file, text, offset, 1).line
}

/** Macros reached from the names called, callees before callers. */
export function reachedMacros(macros: readonly MacroFact[], calls: Iterable<string>): readonly MacroFact[] {
  const byName = new Map(macros.map((macro) => [macro.name, macro]))
  const done = new Set<string>()
  const order: MacroFact[] = []
  const visit = (name: string): void => {
    const macro = byName.get(name)
    if (macro === undefined || done.has(name)) return
    done.add(name)
    for (const call of macro.calls) visit(call)
    order.push(macro)
  }
  for (const call of calls) visit(call)
  return order
}
