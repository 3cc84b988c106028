/**
 * The composition root: the only file that names concrete adapters. Everything heavy is imported when it is first asked
 * for, so that a command pays only for what it uses.
 */
import { mkdir } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Catalog, PlanView } from './catalog/catalog.ts'
import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'
import type { Dispatch } from './dispatch/dispatch.ts'
import { duckDbVersion } from './engines/duckdb/duckdb-version.ts'
import type { DuckDbEngine } from './engines/duckdb/duckdb-engine.ts'
import type { SandboxMode } from './model/project.ts'
import type { ReplayRuntimeRequest, Workspace } from './operations/workspace.ts'
import type { PythonEnvironment } from './packages/python-environment.ts'
import { cacheFolder } from './packages/cache-folder.ts'
import { defaultStateFolder } from './project/config/state-folder.ts'
import { findProject } from './project/find-project.ts'
import type { LoadedProject } from './project/loaded-project.ts'
import type { Runtime } from './runtimes/runtime.ts'
import type { Sandbox } from './runtimes/sandbox/sandbox.ts'
import type { Store } from './store/store.ts'

export interface OpenOptions {
  /** A folder in the project, or the project's. */
  readonly folder: string
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly clock?: Clock
  readonly random?: () => number
}

/** Throws PROJECT_NOT_FOUND. Opens nothing yet. */
export function openWorkspace(options: OpenOptions): Workspace {
  return new App(findProject(options.folder), options)
}

class App implements Workspace {
  readonly root: string
  readonly clock: Clock
  readonly random: () => number
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly #opened: Map<string, Promise<unknown>> = new Map()
  #sandboxMode: SandboxMode = 'auto'

  constructor(root: string, options: OpenOptions) {
    this.root = root
    this.clock = options.clock ?? systemClock
    this.random = options.random ?? Math.random
    this.variables = options.variables
  }

  project(): Promise<LoadedProject> {
    return this.#once('project', async () => {
      const { loadProject } = await import('./project/load-project.ts')
      return loadProject({
        root: this.root,
        clock: this.clock,
        engineVersion: duckDbVersion,
        environment: () => this.python(),
        sqlParser: () => this.engine(),
      })
    })
  }

  async stateFolder(): Promise<string> {
    const { project } = await this.project()
    return project.config.state
  }

  async view(): Promise<PlanView> {
    // A second SQLite connection of one process is harmless; a second SQLite library would not be.
    if (this.#opened.has('catalog')) return (await this.catalog()).view()
    const file = await this.#catalogFile()
    if (!existsSync(file)) {
      // Not kept: a run of this very workspace may make the catalog.
      const { emptyPlanView } = await import('./catalog/empty-plan-view.ts')
      return emptyPlanView
    }
    return this.#once('view', async () => {
      const { planViewOf } = await import('./catalog/sqlite/plan-view.ts')
      return planViewOf(file)
    })
  }

  catalog(): Promise<Catalog> {
    return this.#once('catalog', async () => {
      const { openSqliteCatalog } = await import('./catalog/sqlite/open-catalog.ts')
      const store = await this.store()
      const { clock } = this
      return openSqliteCatalog({
        file: await this.#catalogFile(),
        storeId: store.id,
        clock,
        hasBlob: (address) => store.has(address),
      })
    })
  }

  async #catalogFile(): Promise<string> {
    return path.join(await this.#state(), 'catalog.sqlite')
  }

  /** The state folder ignores itself, so that no project needs a line for it. */
  #state(): Promise<string> {
    return this.#once('state', async () => {
      const folder = await this.stateFolder()
      await mkdir(folder, { recursive: true })
      const { writeFile } = await import('node:fs/promises')
      await writeFile(path.join(folder, '.gitignore'), '*\n', { flag: 'wx' }).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      })
      return folder
    })
  }

  store(): Promise<Store> {
    return this.#once('store', async () => {
      const { openLocalStore } = await import('./store/local/local-store.ts')
      return openLocalStore({ root: path.join(await this.#state(), 'store'), clock: this.clock })
    })
  }

  useSandbox(mode: SandboxMode): void {
    this.#sandboxMode = mode
  }

  sandbox(): Promise<Sandbox> {
    return this.#once('sandbox', async () => {
      const [{ openSandbox }, { findPython }] = await Promise.all([
        import('./runtimes/sandbox/open-sandbox.ts'),
        import('./packages/find-python.ts'),
      ])
      const python = await findPython().then(
        (found) => found.python,
        () => null,
      )
      return openSandbox({ mode: this.#sandboxMode, python })
    })
  }

  engine(): Promise<DuckDbEngine> {
    return this.#once('engine', async () => {
      const [{ openDuckDbEngine }, { findPython }, { loadConfig }] = await Promise.all([
        import('./engines/duckdb/duckdb-engine.ts'),
        import('./packages/find-python.ts'),
        import('./project/config/load-config.ts'),
      ])
      // The project cannot be asked for its state folder: loading it parses SQL with this engine.
      const { config } = await loadConfig(this.root, path.join(defaultStateFolder(this.root), 'cache'))
      const { state } = config
      const python = await findPython().then(
        (found) => found.python,
        () => null,
      )
      return openDuckDbEngine({
        sandbox: await this.sandbox(),
        storeRoot: path.join(state, 'store'),
        tempRoot: path.join(state, 'tmp'),
        readableRoots: [this.root],
        python,
      })
    })
  }

  python(): Promise<PythonEnvironment> {
    return this.#once('python', async () => {
      const installed = await this.#installed()
      if (installed !== null) return installed
      const { bareEnvironment } = await import('./packages/bare-environment.ts')
      return bareEnvironment()
    })
  }

  /** Null when the project has no lock. */
  async #installed(): Promise<PythonEnvironment | null> {
    const { loadEnvironment } = await import('./packages/load-environment.ts')
    return loadEnvironment({ root: this.root })
  }

  dispatch(): Promise<Dispatch> {
    return this.#once('dispatch', async () => {
      const { localDispatch } = await import('./dispatch/local/local-dispatch.ts')
      const { project, sqlText } = await this.project()
      return localDispatch({
        slots: project.config.parallel,
        runtimes: {
          python: async () => {
            const { pythonRuntime } = await import('./runtimes/python/python-runtime.ts')
            const state = await this.#state()
            return pythonRuntime({
              sandbox: await this.sandbox(),
              environment: () => this.python(),
              cacheFolder: cacheFolder(),
              linesFolder: path.join(state, 'lines'),
            })
          },
          sql: async () => {
            const { sqlRuntime } = await import('./runtimes/sql/sql-runtime.ts')
            return sqlRuntime(await this.engine(), sqlText)
          },
          typescript: async () => {
            const [{ nodeRuntime }, { sdkEntry }] = await Promise.all([
              import('./runtimes/node/node-runtime.ts'),
              import('./project/sdk-entry.ts'),
            ])
            return nodeRuntime({ sandbox: await this.sandbox(), sdkEntry: sdkEntry() })
          },
        },
      })
    })
  }

  async replayRuntime(request: ReplayRuntimeRequest): Promise<Runtime> {
    const { forkingPythonRuntime } = await import('./runtimes/python/forking-runtime.ts')
    const state = await this.#state()
    return forkingPythonRuntime({
      ...request,
      sandbox: await this.sandbox(),
      cacheFolder: cacheFolder(),
      linesFolder: path.join(state, 'lines'),
      hostVariables: this.variables,
      projectFolders: [this.root, path.join(this.root, 'assets'), path.dirname(request.preload)],
    })
  }

  open(folder: string): Workspace {
    return openWorkspace({ folder, variables: this.variables, clock: this.clock, random: this.random })
  }

  async close(): Promise<void> {
    const close = async (name: string): Promise<void> => {
      const opened = this.#opened.get(name) as Promise<{ close(): unknown }> | undefined
      if (opened === undefined) return
      const resource = await opened.catch(() => null)
      await resource?.close()
    }
    for (const name of ['dispatch', 'engine', 'view', 'catalog']) await close(name)
  }

  #once<T>(name: string, open: () => Promise<T>): Promise<T> {
    let opened = this.#opened.get(name) as Promise<T> | undefined
    if (opened === undefined) {
      opened = open()
      this.#opened.set(name, opened)
    }
    return opened
  }
}
