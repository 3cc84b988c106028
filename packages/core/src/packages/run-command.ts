/** Starts a tool of ours (uv, an interpreter) and collects what it says. Not for users' code: that runs in the sandbox. */
import { spawn } from 'node:child_process'

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: string
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

const maxOutput = 64 * 1024 * 1024

/** Never rejects for an exit code; rejects when the program cannot be started or the signal fires. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      signal: options.signal,
      timeout: options.timeoutMs ?? 600_000,
    })
    const text = { stdout: '', stderr: '' }
    const collect = (name: 'stdout' | 'stderr') => (chunk: Buffer) => {
      if (text[name].length < maxOutput) text[name] += chunk.toString('utf8')
    }
    child.stdout.on('data', collect('stdout'))
    child.stderr.on('data', collect('stderr'))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...text }))
    // A program that ends without reading is judged by its exit code.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}
