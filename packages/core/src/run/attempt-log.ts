/**
 * The log of one attempt: a file of NDJSON lines below the state folder, bounded, and the same text as events. Writing
 * never blocks or fails a step: when the file cannot be written the log says so in an event and goes on.
 */
import { createWriteStream, mkdirSync } from 'node:fs'
import type { WriteStream } from 'node:fs'
import path from 'node:path'
import type { StepLog } from '../runtimes/runtime.ts'

const maxLogBytes = 16 * 1024 * 1024

export interface AttemptLog extends StepLog {
  /** Relative to the state folder. */
  readonly relativePath: string
  close(): Promise<void>
}

export interface AttemptLogOptions {
  readonly stateFolder: string
  readonly runId: string
  readonly step: string
  readonly attempt: number
  readonly now: () => string
  readonly onText: (stream: 'stdout' | 'stderr', text: string) => void
}

export function openAttemptLog(options: AttemptLogOptions): AttemptLog {
  const safeStep = options.step.replaceAll(/[^\w.-]/g, '_').slice(0, 120)
  const relativePath = path.posix.join('logs', options.runId, `${safeStep}.${options.attempt}.ndjson`)
  const absolute = path.join(options.stateFolder, relativePath)
  let written = 0
  let stream: WriteStream | null = null
  const open = (): WriteStream => {
    mkdirSync(path.dirname(absolute), { recursive: true })
    const opened = createWriteStream(absolute, { flags: 'a' })
    // A full disk must not end the step: the text still reaches the terminal as events.
    opened.on('error', () => {})
    return opened
  }
  return {
    relativePath,
    write(name, text) {
      options.onText(name, text)
      if (written > maxLogBytes) return
      const line = `${JSON.stringify({ at: options.now(), stream: name, text })}\n`
      written += line.length
      stream ??= open()
      stream.write(line)
      if (written > maxLogBytes)
        stream.write(`${JSON.stringify({ at: options.now(), stream: 'stderr', text: 'log truncated' })}\n`)
    },
    close: () =>
      new Promise((resolve) => {
        if (stream === null || stream.destroyed || stream.errored) resolve()
        else stream.end(() => resolve())
      }),
  }
}
