/** Runs python/cellmill/_notebook/prove_values.py in the sandbox: the one place where values of a proof are unpickled. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Json } from '../../canonical.ts'
import { CellmillError } from '../../errors.ts'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import type { Bind, Sandbox } from '../../runtimes/sandbox/sandbox.ts'
import { pythonPackageRoot } from '../../sibling.ts'

export interface TaskContext {
  readonly sandbox: Sandbox
  readonly environment: PythonEnvironment
  readonly toolsSitePackages: string
  /** Project as it would be: its modules are importable from here. */
  readonly projectRoot: string
  /** Dotted name of the written module, which stands for the notebook's `__main__`. */
  readonly mainModule: string
  /** Writable folder for requests and answers. */
  readonly scratch: string
  /** Read-only folders in which captures and snapshots are. */
  readonly readable: readonly string[]
  readonly signal: AbortSignal
}

export interface PythonTask {
  readonly task: 'digest' | 'inputs' | 'names' | 'mutants' | 'perturb' | 'differences'
  readonly tasks: readonly { readonly key: string; readonly [name: string]: Json | undefined }[]
}

export type TaskAnswer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string }

let counter = 0

/** By the tasks' keys. Throws KERNEL_FAILED when the process dies. */
export async function runPythonTask<T>(
  context: TaskContext,
  request: PythonTask,
): Promise<Readonly<Record<string, TaskAnswer<T>>>> {
  if (request.tasks.length === 0) return {}
  const folder = path.join(context.scratch, `task-${++counter}`)
  await mkdir(folder, { recursive: true })
  const roots = [context.projectRoot, path.join(context.projectRoot, 'assets')]
  const content = { ...request, roots, main: context.mainModule, last: context.toolsSitePackages }
  await writeFile(path.join(folder, 'request.json'), JSON.stringify(content))
  const root = pythonPackageRoot()
  const { environment } = context
  const child = context.sandbox.spawn(
    {
      command: environment.python,
      args: ['-s', '-P', path.join(root, 'cellmill/_notebook/prove_values.py'), folder],
      env: {
        TZ: 'UTC',
        LC_ALL: 'C.UTF-8',
        PYTHONHASHSEED: '0',
        MPLBACKEND: 'agg',
        PYTHONDONTWRITEBYTECODE: '1',
        OPENBLAS_NUM_THREADS: '1',
        OMP_NUM_THREADS: '1',
        MPLCONFIGDIR: '/tmp',
        HOME: '/tmp',
      },
      cwd: context.scratch,
      binds: bindsOf(context, root),
      network: false,
      memoryBytes: null,
      cpuSeconds: null,
      maxProcesses: 256,
      maxFileBytes: null,
      maxOutputBytes: 16 * 1024 * 1024,
      timeoutMs: 1_800_000,
      control: 'none',
    },
    context.signal,
  )
  let said = ''
  child.onOutput((_stream, chunk) => {
    said = (said + chunk.toString('utf8')).slice(-4000)
  })
  const exit = await child.exited
  context.signal.throwIfAborted()
  if (exit.code !== 0) {
    throw new CellmillError(
      'KERNEL_FAILED',
      `the values of the proof could not be read (${exit.reason}, exit code ${exit.code ?? exit.signal})`,
      {
        hint: 'run the same command again with -v, and look at the last lines',
        details: { said },
      },
    )
  }
  return JSON.parse(await readFile(path.join(folder, 'answer.json'), 'utf8')) as Record<string, TaskAnswer<T>>
}

function bindsOf(context: TaskContext, packageRoot: string): readonly Bind[] {
  const { environment } = context
  const readable = [
    environment.basePrefix,
    environment.prefix,
    context.toolsSitePackages,
    packageRoot,
    context.projectRoot,
    ...context.readable,
  ]
  const outermost = [...new Set(readable)].filter((folder) => folder !== '/usr' && !folder.startsWith('/usr/'))
  return [
    ...outermost.map((folder) => ({ source: folder, target: folder, writable: false })),
    { source: context.scratch, target: context.scratch, writable: true },
  ]
}
