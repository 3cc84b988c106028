/** Facts of SQL texts by their digest, so that the engine parses only what is new. Entries no file needs any more are dropped. */
import { sha256 } from '../../canonical.ts'
import type { SqlParser } from '../../engines/sql-parser.ts'
import { queryFacts } from '../../fingerprint/sql/query-facts.ts'
import type { QueryFacts } from '../../fingerprint/sql/query-facts.ts'
import { readCache, writeCache } from '../cache-file.ts'
import { longNumbers } from './sql-scan.ts'

export interface SqlParsing {
  readonly parser: () => Promise<SqlParser>
  readonly engineVersion: string
  readonly cacheFolder: string
  /** Tells caches of several projects in one state folder apart. */
  readonly cacheKey: string
}

/** Facts for each text, in the same order. */
export async function factsOfTexts(parsing: SqlParsing, texts: readonly string[]): Promise<readonly QueryFacts[]> {
  const name = `sql-${parsing.cacheKey}-${parsing.engineVersion}.json`
  const known = new Map(Object.entries(readCache<Record<string, QueryFacts>>(parsing.cacheFolder, name) ?? {}))
  const keys = texts.map(sha256)
  const missing = [...new Map(keys.map((key, i) => [key, texts[i]!])).entries()].filter(([key]) => !known.has(key))
  if (missing.length > 0) {
    const parser = await parsing.parser()
    const parsed = await parser.parse(missing.map(([, text]) => text))
    for (const [i, [key, text]] of missing.entries()) known.set(key, queryFacts(text, parsed[i]!, longNumbers(text)))
  }
  if (missing.length > 0 || known.size > new Set(keys).size) {
    writeCache(parsing.cacheFolder, name, Object.fromEntries(keys.map((key) => [key, known.get(key)])))
  }
  return keys.map((key) => known.get(key)!)
}
