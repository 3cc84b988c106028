/**
 * A run as people see it: a line for each finished step, one live line on a terminal, a heartbeat elsewhere, and the
 * most important line last. The NDJSON form is the events themselves.
 */
import type { RunEvent } from '@cellmill/core/run/events.ts'
import { formatDuration } from './format.ts'
import type { Output } from './output.ts'
import { linesOf, shortList } from './run-lines.ts'
import { showStepError } from './show-errors.ts'

export interface RunReporter {
  emit(event: RunEvent): void
  close(): void
}

const heartbeatMs = 30_000
const liveMs = 200

export function runReporter(output: Output): RunReporter {
  if (output.json) return { emit: (event) => output.writeEvent(event), close: () => {} }
  return new TextReporter(output)
}

class TextReporter implements RunReporter {
  readonly #output: Output
  readonly #running: Map<string, number> = new Map()
  readonly #timer: NodeJS.Timeout
  #liveShown = false

  constructor(output: Output) {
    this.#output = output
    this.#timer = setInterval(() => this.#tick(), output.live ? liveMs : heartbeatMs).unref()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#clearLive()
  }

  emit(event: RunEvent): void {
    this.#clearLive()
    if (event.type === 'step-started') this.#running.set(event.step, Date.now())
    else if (event.type === 'step-succeeded' || event.type === 'step-failed' || event.type === 'step-cancelled')
      this.#running.delete(event.step)
    if (event.type === 'step-failed') showStepError(this.#output, event.step, event.error)
    for (const { text, always } of linesOf(event, this.#output)) {
      if (always) this.#output.sayAlways(text)
      else this.#output.say(text)
    }
  }

  #tick(): void {
    if (this.#running.size === 0) return
    const now = Date.now()
    const parts = [...this.#running].map(([step, since]) => `${step} ${formatDuration(now - since)}`)
    if (!this.#output.live) {
      this.#output.say(`still running: ${shortList(parts)}`)
      return
    }
    const line = `... ${shortList(parts)}`.slice(0, this.#output.columns - 1)
    process.stderr.write(`\r\u001B[2K${this.#output.colors.dim(line)}`)
    this.#liveShown = true
  }

  #clearLive(): void {
    if (!this.#liveShown) return
    process.stderr.write('\r\u001B[2K')
    this.#liveShown = false
  }
}
