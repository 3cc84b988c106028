/**
 * Port: SQL read by an engine's own parser, out of process. Discovery calls it only for texts it has not seen before.
 * Trees are the engine's; fingerprint/sql knows how to read them.
 */
import type { Json } from '../canonical.ts'

export interface SqlCommentLine {
  readonly text: string
  /** 1-based place of the character after `--`. */
  readonly line: number
  readonly column: number
}

export interface SqlProblem {
  readonly kind: 'syntax' | 'many-statements' | 'not-a-query' | 'empty'
  readonly message: string
  readonly line: number
  readonly column: number
  readonly lineText: string
}

export interface ParsedSql {
  /** The SELECT's tree; null where there is a problem, or for queries that parse but cannot be written as a tree. */
  readonly tree: Json
  readonly problem: SqlProblem | null
  readonly comments: readonly SqlCommentLine[]
  /** Functions named anywhere, as the engine knows them. */
  readonly functions: readonly FunctionFact[]
}

export interface FunctionFact {
  readonly name: string
  /** Null: the engine has no such function. */
  readonly stability: 'CONSISTENT' | 'CONSISTENT_WITHIN_QUERY' | 'VOLATILE' | null
  readonly type: 'scalar' | 'aggregate' | 'table' | 'macro' | 'other'
  readonly suggestion: string | null
}

export interface MacroFile {
  readonly file: string
  readonly text: string
}

export interface ParsedMacro {
  readonly name: string
  readonly file: string
  readonly parameters: readonly string[]
  /** The body as the engine prints it: comments and layout are gone. */
  readonly definition: string
  /** Tree of the body; null when it has none. */
  readonly tree: Json
}

export interface ParsedMacros {
  readonly macros: readonly ParsedMacro[]
  readonly problems: readonly (SqlProblem & { readonly file: string })[]
}

export interface SqlParser {
  /** Of the engine; part of every SQL fingerprint and of the cache key of what was parsed. */
  readonly version: string
  parse(texts: readonly string[]): Promise<readonly ParsedSql[]>
  parseMacros(files: readonly MacroFile[]): Promise<ParsedMacros>
}
