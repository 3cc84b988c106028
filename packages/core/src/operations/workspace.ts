/**
 * What operations work on: one project with its state, as ports that open on first use. Made by app.ts. An operation is
 * one thing that a person can ask for; it opens only what it needs, so that a plan with nothing to do stays cheap.
 */
import type { Catalog, PlanView } from '../catalog/catalog.ts'
import type { Clock } from '../clock.ts'
import type { Dispatch } from '../dispatch/dispatch.ts'
import type { Engine, QueryResult, RelationInput } from '../engines/engine.ts'
import type { SqlParser } from '../engines/sql-parser.ts'
import type { SandboxMode } from '../model/project.ts'
import type { PythonEnvironment } from '../packages/python-environment.ts'
import type { LoadedProject } from '../project/loaded-project.ts'
import type { Runtime } from '../runtimes/runtime.ts'
import type { Sandbox } from '../runtimes/sandbox/sandbox.ts'
import type { Store } from '../store/store.ts'

/** What operations ask of the engine beyond its port. */
export interface QueryEngine extends Engine, SqlParser {
  queryWith(
    sql: string,
    inputs: readonly RelationInput[],
    limit: number,
    options: { readonly macros?: readonly string[]; readonly signal?: AbortSignal },
  ): Promise<QueryResult>
  runSqlite(file: string, query: string, outputFolder: string, signal?: AbortSignal): Promise<{ readonly rows: number }>
  /** Starts workers that are going to be needed, and waits for none of them. */
  startAhead(workers: { readonly steps: boolean; readonly ingest: boolean }): void
}

export interface ReplayRuntimeRequest {
  readonly environment: PythonEnvironment
  /** Absolute folders that steps read. */
  readonly readable: readonly string[]
  /** Absolute; attempts' folders are below it. */
  readonly writable: string
  /** File whose imports are done ahead. */
  readonly preload: string
}

export interface Workspace {
  readonly root: string
  readonly clock: Clock
  readonly random: () => number
  /** The process's own environment variables; steps never inherit them. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** Read once and kept; the folder does not change under one command. */
  project(): Promise<LoadedProject>
  stateFolder(): Promise<string>
  /** The cheap read side; an empty one before the first run. */
  view(): Promise<PlanView>
  catalog(): Promise<Catalog>
  store(): Promise<Store>
  /** Which walls the environment asks for; said before anything is started. @default auto */
  useSandbox(mode: SandboxMode): void
  /** Throws SANDBOX_UNAVAILABLE where walls are required and there are none. */
  sandbox(): Promise<Sandbox>
  engine(): Promise<QueryEngine>
  /** The environment that the project's Python runs on. */
  python(): Promise<PythonEnvironment>
  dispatch(): Promise<Dispatch>
  /** Python steps of a proof, replayed as forks of one process. The caller closes it. */
  replayRuntime(request: ReplayRuntimeRequest): Promise<Runtime>
  /** Another project by the same means: proofs run in one. */
  open(folder: string): Workspace
  close(): Promise<void>
}
