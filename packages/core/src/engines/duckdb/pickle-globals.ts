/** Classes and functions that a pickle names, read with `pickletools` in a sandboxed process: it is never loaded. */
import { realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pythonPackageRoot } from '../../sibling.ts'
import type { NamedGlobal } from '../../model/snapshot.ts'
import type { Sandbox, SandboxSpec } from '../../runtimes/sandbox/sandbox.ts'

const maxOutputBytes = 8_000_000

/** Null when the pickle cannot be read to its end or names something that only running it would tell. */
export async function pickleGlobals(
  sandbox: Sandbox,
  python: string,
  file: string,
  signal: AbortSignal,
): Promise<readonly NamedGlobal[] | null> {
  const script = join(pythonPackageRoot(), 'cellmill', '_ingest.py')
  // The interpreter itself: a virtual environment's is a link to it, and the standard library is beside it.
  const process = sandbox.spawn(readerSpec(await realpath(python), script, file), signal)
  const chunks: Buffer[] = []
  process.onOutput((stream, chunk) => {
    if (stream === 'stdout') chunks.push(chunk)
  })
  const exit = await process.exited
  signal.throwIfAborted()
  if (exit.code !== 0 || exit.reason !== 'exited') return null
  return parseAnswer(Buffer.concat(chunks).toString('utf8'))
}

function parseAnswer(text: string): readonly NamedGlobal[] | null {
  const answer = JSON.parse(text) as { readonly globals: readonly (readonly [string, string])[] | null }
  return answer.globals?.map(([module, name]) => ({ module, name })) ?? null
}

function readerSpec(python: string, script: string, file: string): SandboxSpec {
  const folders = [dirname(script), dirname(file), dirname(dirname(python))]
  return {
    command: python,
    args: ['-I', '-S', '-B', script, file],
    env: { LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    cwd: dirname(file),
    binds: folders.map((folder) => ({ source: folder, target: folder, writable: false })),
    network: false,
    memoryBytes: 2_000_000_000,
    cpuSeconds: 300,
    maxProcesses: null,
    maxFileBytes: 0,
    maxOutputBytes,
    timeoutMs: 600_000,
    control: 'none',
  }
}
