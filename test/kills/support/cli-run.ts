/** `cellmill run --json` as a process of its own group, with its events as they arrive: what tests kill and interrupt. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { descendantsOf, startOf } from '../../../packages/core/src/runtimes/sandbox/process-tree.ts'

const cli = path.resolve(import.meta.dirname, '../../../packages/cli/bin/cellmill.js')

export interface SeenEvent {
  readonly at: string
  readonly type: string
  readonly runId: string
  readonly step?: string
  readonly environment?: string
  readonly release?: number | null
  readonly state?: string
}

export interface RunEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

interface Process {
  readonly pid: number
  readonly startedAt: string
}

export class CliRun {
  readonly child: ChildProcess
  readonly events: SeenEvent[] = []
  readonly ended: Promise<RunEnd>
  /** The error object, where the command was refused. */
  error: { readonly code: string; readonly message: string } | null = null
  stderr = ''
  readonly #waiting: Set<() => void> = new Set()

  constructor(root: string, args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
    const { CELLMILL_ENV: _, ...env } = process.env
    this.child = spawn(process.execPath, [cli, 'run', ...args, '--json'], {
      cwd: root,
      env: { ...env, CI: '1', ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    this.child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString('utf8')))
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.#take(line))
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', reject)
      this.child.on('close', (code, signal) => {
        resolve({ code, signal })
        for (const wake of this.#waiting) wake()
      })
    })
  }

  /** Until an event arrives that fits, or the process ends; null then. */
  async event(fits: (event: SeenEvent) => boolean): Promise<SeenEvent | null> {
    for (;;) {
      const found = this.events.find(fits)
      if (found !== undefined) return found
      if (this.child.exitCode !== null || this.child.signalCode !== null) return null
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake)
          resolve()
        }
        this.#waiting.add(wake)
      })
    }
  }

  async eventCount(count: number): Promise<void> {
    await this.event(() => this.events.length >= count)
  }

  saw(type: string): boolean {
    return this.events.some((event) => event.type === type)
  }

  /** Why it failed, for the message of an assertion. */
  problems(): string {
    const failed = this.events.filter(({ type }) => /failed|retrying|held|cancelled/.test(type))
    return JSON.stringify([this.error, failed, this.events.at(-1)]) + this.stderr
  }

  processes(): readonly Process[] {
    return descendantsOf(this.child.pid!).flatMap((pid) => {
      const startedAt = startOf(pid)
      return startedAt === null ? [] : [{ pid, startedAt }]
    })
  }

  #take(line: string): void {
    // The last line of a killed process may be torn.
    const value = parsed(line)
    if (value === null) return
    if ('error' in value && !('type' in value)) this.error = value['error'] as typeof this.error
    else this.events.push(value as unknown as SeenEvent)
    for (const wake of this.#waiting) wake()
  }
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return null
  }
}

/** Command lines of those still there after ten seconds. */
export async function survivors(processes: readonly Process[]): Promise<readonly string[]> {
  let left = processes
  for (let round = 0; round < 200; round++) {
    left = left.filter((one) => startOf(one.pid) === one.startedAt && !endUnborn(one.pid))
    if (left.length === 0) return []
    await sleep(50)
  }
  return left.map(({ pid }) => `${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`)
}

/**
 * bwrap's inner process waits for its outer one before it asks to die with it: when the outer one is killed in that
 * millisecond, the inner one waits for ever. It has run nothing of ours and never will; it is ended here.
 */
function endUnborn(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const isUnborn = /^Name:\tbwrap$/m.test(status) && /^PPid:\t1$/m.test(status) && /^NSpid:\t\d+\t1$/m.test(status)
    if (!isUnborn || descendantsOf(pid).length > 0) return false
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone meanwhile.
  }
  return true
}
