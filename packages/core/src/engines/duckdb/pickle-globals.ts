/**
 * Classes and functions that a pickle names, read with `pickletools` in a sandboxed process: it is never loaded. One
 * process reads all pickles of an engine, one at a time, since starting it costs more than reading most of them.
 */
import { realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isCellmillError } from '../../errors.ts'
import type { NamedGlobal } from '../../model/snapshot.ts'
import type { Bind, Sandbox } from '../../runtimes/sandbox/sandbox.ts'
import { pythonPackageRoot } from '../../sibling.ts'
import { WorkerClient } from './worker-client.ts'

interface PickleMethods {
  readonly globals: {
    readonly params: { readonly file: string }
    readonly result: readonly (readonly [string, string])[] | null
  }
}

export interface PickleReaderOptions {
  readonly sandbox: Sandbox
  readonly python: string
  /** Folders in which pickles are, read-only. */
  readonly binds: readonly Bind[]
  /** An existing folder among them. */
  readonly cwd: string
}

const timeoutMs = 600_000

export class PickleReader {
  readonly #options: PickleReaderOptions
  #worker: Promise<WorkerClient<PickleMethods>> | null = null

  constructor(options: PickleReaderOptions) {
    this.#options = options
  }

  /** Null when the pickle cannot be read to its end or names something that only running it would tell. */
  async globals(file: string, signal: AbortSignal): Promise<readonly NamedGlobal[] | null> {
    this.#worker ??= openWorker(this.#options)
    try {
      const found = await (await this.#worker).call('globals', { file }, null, { signal, timeoutMs })
      return found?.map(([module, name]) => ({ module, name })) ?? null
    } catch (error) {
      signal.throwIfAborted()
      // One that ends its reader, by its size or nesting, is one that cannot be read.
      if (isCellmillError(error, 'QUERY_FAILED')) return null
      throw error
    }
  }

  async close(): Promise<void> {
    const worker = await this.#worker?.catch(() => null)
    await worker?.close()
  }
}

async function openWorker(options: PickleReaderOptions): Promise<WorkerClient<PickleMethods>> {
  // The interpreter itself: a virtual environment's is a link to it, and the standard library is beside it.
  const python = await realpath(options.python)
  const script = join(pythonPackageRoot(), 'cellmill', '_ingest.py')
  const program = [dirname(script), dirname(dirname(python))]
  return new WorkerClient(options.sandbox, {
    command: python,
    args: ['-I', '-S', '-B', script],
    env: { LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    cwd: options.cwd,
    binds: [...program.map((folder) => ({ source: folder, target: folder, writable: false })), ...options.binds],
    network: false,
    memoryBytes: 2_000_000_000,
    cpuSeconds: null,
    maxProcesses: null,
    maxFileBytes: 0,
    maxOutputBytes: 1_000_000,
    timeoutMs: null,
    control: 'pipe',
  })
}
