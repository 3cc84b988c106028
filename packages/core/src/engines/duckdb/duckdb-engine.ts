/**
 * The DuckDB engine as the coordinator sees it. Two sandboxed workers: `steps` runs users' queries; `ingest` digests
 * what steps wrote and parses texts, and no query of a user's ever runs in it; a third process reads what pickles name.
 * None is started before it is needed or asked for ahead.
 */
import { mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bind, Sandbox, SandboxSpec } from '../../runtimes/sandbox/sandbox.ts'
import { siblingModule } from '../../sibling.ts'
import type { DigestForm } from '../../model/recipe.ts'
import type { Engine, IngestRequest, IngestResult, QueryResult, RelationInput, SqlStep } from '../engine.ts'
import type { MacroFile, ParsedMacros, ParsedSql, SqlParser } from '../sql-parser.ts'
import { duckDbVersion } from './duckdb-version.ts'
import { PickleReader } from './pickle-globals.ts'
import type { Limits } from './protocol.ts'
import { WorkerClient } from './worker-client.ts'

export interface DuckDbEngineOptions {
  readonly sandbox: Sandbox
  /** Folder of the store: readable by both workers. */
  readonly storeRoot: string
  /** Folder in which steps write and queries spill. */
  readonly tempRoot: string
  /** Further folders that hold inputs, read-only. */
  readonly readableRoots?: readonly string[]
  /** Further folders that steps and exports write to. */
  readonly writableRoots?: readonly string[]
  /** Python 3.11+ with which pickles are read (never loaded); null leaves their globals unknown. */
  readonly python: string | null
  /** Memory of one query. @default half of the machine's */
  readonly memoryBytes?: number
}

export interface QueryOptions {
  readonly macros?: readonly string[]
  readonly parameters?: SqlStep['parameters']
}

export interface DuckDbEngine extends Engine, SqlParser {
  /** As `query`, with macros in scope and parameters. */
  queryWith(
    sql: string,
    inputs: readonly RelationInput[],
    limit: number,
    options: QueryOptions & { readonly signal?: AbortSignal },
  ): Promise<QueryResult>
  /** Runs a query on a SQLite file, read-only, and writes `data.parquet` into a folder. */
  runSqlite(file: string, query: string, outputFolder: string, signal?: AbortSignal): Promise<{ readonly rows: number }>
  /** Starts workers that are going to be needed, and waits for none of them. */
  startAhead(workers: { readonly steps: boolean; readonly ingest: boolean }): void
  /** Pids of the workers that are running, for `doctor` and tests. */
  workerPids(): { readonly steps: number | null; readonly ingest: number | null }
}

export async function openDuckDbEngine(options: DuckDbEngineOptions): Promise<DuckDbEngine> {
  const spillRoot = await makeSpillRoot(join(options.tempRoot, 'engine'))
  const roots = await resolveRoots(options, spillRoot)
  const steps = new WorkerClient(options.sandbox, workerSpec(roots.stepBinds, roots.spillRoot))
  const ingest = new WorkerClient(options.sandbox, workerSpec(roots.ingestBinds, roots.spillRoot))
  const { sandbox, python, storeRoot } = options
  const pickles =
    python === null ? null : new PickleReader({ sandbox, python, binds: roots.pickleBinds, cwd: storeRoot })
  return engineOver({ options, steps, ingest, pickles, spillRoot: roots.spillRoot, scanRoots: roots.scanRoots })
}

/** One folder for each engine, since several processes share a state; those of killed processes go. */
async function makeSpillRoot(engines: string): Promise<string> {
  await mkdir(engines, { recursive: true })
  for (const name of await readdir(engines)) {
    if (!isAlive(Number.parseInt(name, 10))) await rm(join(engines, name), { recursive: true, force: true })
  }
  return mkdtemp(join(engines, `${process.pid}-`))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

interface EngineParts {
  readonly options: DuckDbEngineOptions
  readonly steps: WorkerClient
  readonly ingest: WorkerClient
  readonly pickles: PickleReader | null
  readonly spillRoot: string
  readonly scanRoots: readonly string[]
}

function engineOver({ options, steps, ingest, pickles, spillRoot, scanRoots }: EngineParts): DuckDbEngine {
  const memoryBytes = options.memoryBytes ?? Math.floor(totalmem() / 2)
  const limits = (threads: number, bytes: number | null = null): Limits => ({
    spillRoot,
    threads,
    memoryBytes: bytes ?? memoryBytes,
    scanRoots,
  })
  const query: DuckDbEngine['queryWith'] = async (sql, inputs, limit, { macros, parameters, signal }) =>
    steps.call('query', { sql, inputs, limit, macros: macros ?? [], parameters: parameters ?? {} }, limits(1), {
      signal,
    })
  return {
    version: duckDbVersion,
    runSql: async (step, signal) =>
      steps.call('runSql', { step }, limits(step.threads, step.memoryBytes), { signal, timeoutMs: step.timeoutMs }),
    ingest: async (request, signal) => ingestAll({ ingest, pickles, limits: limits(2) }, request, signal),
    digest: async (files: readonly string[], columns: readonly string[] | null, form: DigestForm) =>
      ingest.call('digest', { files, columns, form }, limits(2)),
    query: async (sql, inputs, limit, signal) => query(sql, inputs, limit, signal === undefined ? {} : { signal }),
    queryWith: query,
    exportTo: async (inputs, format, file) => {
      await steps.call('exportTo', { inputs, format, file }, limits(2))
    },
    runSqlite: async (file, sql, outputFolder, signal) =>
      steps.call('sqlite', { file, query: sql, outputFolder }, limits(2), { signal }),
    parse: async (texts: readonly string[]): Promise<readonly ParsedSql[]> =>
      ingest.call('parse', { texts }, limits(1)),
    parseMacros: async (files: readonly MacroFile[]): Promise<ParsedMacros> =>
      ingest.call('macros', { files }, limits(1)),
    startAhead: (workers) => {
      if (workers.ingest) ingest.start()
      if (workers.steps) steps.start()
    },
    workerPids: () => ({ steps: steps.pid, ingest: ingest.pid }),
    close: async () => {
      await Promise.all([steps.close(), ingest.close(), pickles?.close()])
      await rm(spillRoot, { recursive: true, force: true })
    },
  }
}

interface IngestParts {
  readonly ingest: WorkerClient
  readonly pickles: PickleReader | null
  readonly limits: Limits
}

/** Bytes and tables in the worker; what a pickle names in a Python process of its own. */
async function ingestAll(parts: IngestParts, request: IngestRequest, signal: AbortSignal): Promise<IngestResult> {
  const result = await parts.ingest.call('ingest', request, parts.limits, { signal })
  const [entry] = result.entries
  if (request.kind !== 'object' || request.codec !== 'pickle' || entry === undefined) return result
  const globals = (await parts.pickles?.globals(join(request.folder, entry.name), signal)) ?? null
  return { ...result, facts: { ...result.facts, globals } }
}

interface Roots {
  readonly spillRoot: string
  readonly scanRoots: readonly string[]
  readonly stepBinds: readonly Bind[]
  readonly ingestBinds: readonly Bind[]
  readonly pickleBinds: readonly Bind[]
}

async function resolveRoots(options: DuckDbEngineOptions, spillRoot: string): Promise<Roots> {
  const spill = await realpath(spillRoot)
  const readable = [options.storeRoot, ...(options.readableRoots ?? [])]
  const writable = [options.tempRoot, ...(options.writableRoots ?? [])]
  for (const folder of [options.storeRoot, ...writable]) await mkdir(folder, { recursive: true })
  const program = programFolders().map((folder) => bind(folder, false))
  const reads = readable.map((folder) => bind(folder, false))
  const written = writable.map((folder) => bind(folder, false))
  return {
    spillRoot: spill,
    scanRoots: [...readable, ...writable],
    stepBinds: [...program, ...reads, ...writable.map((folder) => bind(folder, true)), bind(spill, true)],
    ingestBinds: [...program, ...reads, ...written, bind(spill, true)],
    pickleBinds: [...reads, ...written],
  }
}

function bind(folder: string, writable: boolean): Bind {
  return { source: folder, target: folder, writable }
}

/** Node itself, this package, and the folder in which its dependencies are. */
function programFolders(): readonly string[] {
  const packageRoot = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
  const duckDb = fileURLToPath(import.meta.resolve('@duckdb/node-api'))
  const modules = duckDb.slice(0, duckDb.lastIndexOf('node_modules') + 'node_modules'.length)
  return [dirname(process.execPath), packageRoot, modules]
}

function workerSpec(binds: readonly Bind[], spillRoot: string): SandboxSpec {
  return {
    command: process.execPath,
    args: ['--no-warnings', siblingModule(import.meta.url, './worker')],
    env: {
      TZ: 'UTC',
      LC_ALL: 'C.UTF-8',
      HOME: spillRoot,
      TMPDIR: spillRoot,
      // Each running query holds a thread of Node's pool; the default of four would let queries wait for each other.
      UV_THREADPOOL_SIZE: '16',
    },
    cwd: spillRoot,
    binds,
    network: false,
    memoryBytes: null,
    cpuSeconds: null,
    maxProcesses: null,
    maxFileBytes: null,
    maxOutputBytes: 16_000_000,
    timeoutMs: null,
    control: 'pipe',
  }
}
