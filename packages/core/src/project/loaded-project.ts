/** What loading a project gives: the model, and what each language knows of its code. Everything later reads this value. */
import type { Graph } from '../model/graph.ts'
import type { Project } from '../model/project.ts'
import type { Languages } from '../plan/language.ts'

/** The text of a SQL step as its attempt needs it. */
export interface SqlText {
  readonly sql: string
  /** `CREATE MACRO` statements in scope. */
  readonly macros: readonly string[]
  /** True when row order of the result carries no meaning. */
  readonly unordered: boolean
  /** True when rows are stored in an order of ours: their own means nothing, and some step sees it. */
  readonly canonicalOrder: boolean
  /** First line of the query in its file, 1-based, so that errors name the file's line. */
  readonly firstLine: number
}

export interface LoadedProject {
  readonly project: Project
  /** Null when the project has errors: a graph exists only for a linked project. */
  readonly graph: Graph | null
  readonly languages: Languages
  /** `pandas==2.3.3` for an importable module of the Python lock, else null. */
  readonly packageOf: (module: string) => string | null
  readonly sqlText: (step: string) => SqlText
  /** Distribution to version, of all languages, for releases. */
  readonly packages: Readonly<Record<string, string>>
  /** Project-relative files that make the code bundle of a release, sorted. */
  readonly codeFiles: readonly string[]
}
