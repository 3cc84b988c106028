/**
 * A run as people see it: a line for each finished step, one live line on a terminal, a heartbeat elsewhere, and the
 * most important line last. The NDJSON form is the events themselves.
 */
import type { RunEvent } from '@cellmill/core/run/events.ts'
import { formatCount, formatDuration, formatSize } from './format.ts'
import { safeText } from './output.ts'
import type { Output } from './output.ts'
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
  #width = 20

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
    const { colors, verbose } = this.#output
    switch (event.type) {
      case 'run-started': {
        const sandbox = event.sandbox === 'none' ? `  ${colors.yellow('no sandbox: steps can read and change anything here')}` : ''
        const steps = `${formatCount(event.steps, 'step')}, ${event.reused} reused`
        this.#say(`run ${colors.bold(event.runId.slice(-6))}  ${event.environment}  ${steps}${sandbox}`)
        return
      }
      case 'source-captured':
        if (event.changed || verbose > 0) this.#say(`source ${event.source}  ${formatSize(event.sizeBytes)} captured`)
        return
      case 'step-started':
        this.#running.set(event.step, Date.now())
        this.#width = Math.max(this.#width, event.step.length)
        return
      case 'step-log':
        if (verbose > 0) for (const line of event.text.replace(/\n$/, '').split('\n')) this.#say(colors.dim(`  ${event.step} | ${safeText(line)}`))
        return
      case 'step-reused':
        if (verbose > 0) this.#say(colors.dim(`= ${event.step}  ${event.reason}`))
        return
      case 'step-retrying':
        this.#say(`${colors.yellow('!')} ${event.step}  attempt ${event.attempt}/${event.attempts} failed: ${safeText(event.error.message.split('\n')[0] ?? '')}, again in ${formatDuration(event.delayMs)}`)
        return
      case 'step-succeeded': {
        this.#running.delete(event.step)
        const rows = event.rows === null ? formatSize(event.sizeBytes) : `${formatCount(event.rows)} ${event.rows === 1 ? 'row' : 'rows'}`
        const empty = event.rows === 0 ? `  ${colors.yellow('empty')}` : ''
        const count = event.total === 0 ? '' : `[${event.index}/${event.total}] `
        this.#say(`${colors.green(count)}${event.step.padEnd(this.#width)} ${rows.padStart(14)}  ${formatDuration(event.ms).padStart(7)}${empty}`)
        return
      }
      case 'step-failed':
        this.#running.delete(event.step)
        showStepError(this.#output, event.step, event.error)
        if (event.waiting.length > 0) this.#output.sayAlways(`  ${event.waiting.length} waiting for it: ${shortList(event.waiting)}`)
        return
      case 'step-cancelled':
        this.#running.delete(event.step)
        this.#say(`${colors.yellow('-')} ${event.step}  cancelled`)
        return
      case 'step-skipped':
        if (verbose > 0) this.#say(colors.dim(`- ${event.step}  waits for ${event.because.join(', ')}`))
        return
      case 'check-passed':
        if (verbose > 0 || !event.reused) this.#say(`${colors.green('ok')} ${event.step}${event.reused ? '  passed before' : ''}`)
        return
      case 'check-failed': {
        const word = event.severity === 'error' ? colors.red('x') : colors.yellow('!')
        this.#output.sayAlways(`${word} ${event.step}  ${safeText(event.message)}${event.reused ? '  (failed before, nothing it reads changed)' : ''}`)
        return
      }
      case 'published':
        this.#say(`published to ${event.environment} as release ${event.release}   undo: cellmill rollback ${event.environment}`)
        return
      case 'publish-held':
        this.#output.sayAlways(`${colors.yellow('not published')}  ${safeText(event.reason)}`)
        return
      case 'run-finished':
        this.#output.sayAlways(this.#lastLine(event))
    }
  }

  #lastLine(event: Extract<RunEvent, { type: 'run-finished' }>): string {
    const { colors } = this.#output
    const parts = [`${event.built} built`, `${event.reused} reused`]
    if (event.reports > 0) parts.push(formatCount(event.reports, 'report'))
    if (event.checks > 0) parts.push(formatCount(event.checks, 'check'))
    if (event.failed > 0) parts.push(colors.red(`${event.failed} failed`))
    if (event.waiting > 0) parts.push(`${event.waiting} waiting`)
    const words = { succeeded: colors.green('done'), failed: colors.red('failed'), cancelled: colors.yellow('cancelled'), running: '' }
    const next = event.state === 'failed' ? '   hint: fix it, then  cellmill run' : event.state === 'cancelled' ? '   cellmill run  goes on from here' : ''
    return `${words[event.state]}  ${parts.join(', ')} in ${formatDuration(event.ms)}${next}`
  }

  #say(line: string): void {
    this.#output.say(line)
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
    process.stderr.write(`\r\u001b[2K${this.#output.colors.dim(line)}`)
    this.#liveShown = true
  }

  #clearLive(): void {
    if (!this.#liveShown) return
    process.stderr.write('\r\u001b[2K')
    this.#liveShown = false
  }
}

function shortList(names: readonly string[]): string {
  return names.length <= 4 ? names.join(', ') : `${names.slice(0, 4).join(', ')} and ${names.length - 4} more`
}
