/**
 * Static facts of a Python notebook, from `python/cellmill/_notebook/facts.py` in a sandboxed process of the given
 * interpreter. Invariant: the notebook's text is untrusted; the process gets no network, no files but the interpreter
 * and our package, and limits on memory, time and output.
 */
import { CellmillError } from '../../errors.ts'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import type { Sandbox, SandboxExit, SandboxSpec } from '../../runtimes/sandbox/sandbox.ts'
import { pythonPackageRoot } from '../../sibling.ts'
import type { NotebookDocument } from '../document.ts'
import type { NotebookFacts } from '../ir.ts'

/** An interpreter: a project's environment, or `pythonAt` where there is none. */
export type Interpreter = Pick<PythonEnvironment, 'python' | 'prefix' | 'basePrefix'>

export interface LoadFactsOptions {
  readonly python: Interpreter
  readonly sandbox: Sandbox
  /** Import names of modules beside the notebook or at the project's root. */
  readonly localModules?: readonly string[]
  /** @default 60_000 */
  readonly timeoutMs?: number
}

const MEBIBYTE = 1024 * 1024

export async function loadFacts(document: NotebookDocument, options: LoadFactsOptions): Promise<NotebookFacts> {
  const [facts] = await loadFactsOfMany([document], options)
  if (facts === undefined) throw new CellmillError('INTERNAL', `${document.path} could not be analysed: no answer`)
  return facts
}

/** For several notebooks of one project by one process; one that cannot be analysed fails them all. */
export async function loadFactsOfMany(
  documents: readonly NotebookDocument[],
  options: LoadFactsOptions,
): Promise<readonly NotebookFacts[]> {
  const notebooks = documents.map(({ cells }) => ({
    cells: cells.filter(({ type }) => type === 'code').map(({ index, source }) => ({ index, source })),
    localModules: options.localModules ?? [],
  }))
  const process = options.sandbox.spawn(specFor(options))
  const stdout: Buffer[] = []
  let stderr = ''
  process.onOutput((stream, chunk) => {
    if (stream === 'stdout') stdout.push(chunk)
    else stderr = (stderr + chunk.toString('utf8')).slice(-4000)
  })
  process.send(JSON.stringify({ notebooks }))
  const exit = await process.exited
  if (exit.code !== 0) throw failed(documents.map(({ path }) => path).join(', '), exit, stderr)
  return JSON.parse(Buffer.concat(stdout).toString('utf8')) as NotebookFacts[]
}

function specFor({ python, timeoutMs }: LoadFactsOptions): SandboxSpec {
  const root = pythonPackageRoot()
  const folders = [...new Set([python.basePrefix, python.prefix, root])]
  return {
    command: python.python,
    args: ['-I', '-B', `${root}/cellmill/_notebook/facts.py`],
    env: { LC_ALL: 'C.UTF-8', PYTHONHASHSEED: '0' },
    cwd: root,
    binds: folders.map((folder) => ({ source: folder, target: folder, writable: false })),
    network: false,
    memoryBytes: 2048 * MEBIBYTE,
    cpuSeconds: null,
    maxProcesses: 8,
    maxFileBytes: null,
    maxOutputBytes: 256 * MEBIBYTE,
    timeoutMs: timeoutMs ?? 60_000,
    control: 'pipe',
  }
}

function failed(path: string, exit: SandboxExit, stderr: string): CellmillError {
  if (exit.reason !== 'exited' || exit.signal !== null) {
    return new CellmillError(
      'NOTEBOOK_UNREADABLE',
      `${path} needs more memory or time to analyse than a notebook may (${exit.reason}).`,
      {
        hint: 'Look for cells with very much data in them.',
        details: { path, reason: exit.reason },
      },
    )
  }
  const last = stderr.trim().split('\n').at(-1) ?? ''
  return new CellmillError(
    'INTERNAL',
    `${path} could not be analysed: ${last === '' ? `exit code ${exit.code}` : last}`,
    {
      hint: 'Please report it with the notebook, if you may share it.',
      details: { path, stderr },
    },
  )
}
