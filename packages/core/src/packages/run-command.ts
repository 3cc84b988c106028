/** Starts a tool of ours (uv, an interpreter) and collects what it says. Not for users' code: that runs in the sandbox. */
import { spawn } from 'node:child_process'
import { CellmillError } from '../errors.ts'

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: string
  /** @default 600_000 */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

const maxOutputBytes = 64 * 1024 * 1024

/** Rejects when the program cannot be started, with CANCELLED when the signal fires; never for an exit code. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  if (options.signal?.aborted === true) throw cancelled()
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      signal: options.signal,
      timeout: options.timeoutMs ?? 600_000,
      killSignal: 'SIGKILL',
    })
    const stdout = collect(child.stdout)
    const stderr = collect(child.stderr)
    child.on('error', (error) => reject(error.name === 'AbortError' ? cancelled() : error))
    child.on('close', (code) => resolve({ code, stdout: stdout(), stderr: stderr() }))
    // A program that ends without reading is judged by its exit code.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= maxOutputBytes) chunks.push(chunk)
  })
  return () => Buffer.concat(chunks).toString('utf8')
}

function cancelled(): CellmillError {
  return new CellmillError('CANCELLED', 'The command was interrupted.')
}
