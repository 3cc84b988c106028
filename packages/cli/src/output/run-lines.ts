/** What each event of a run says to people, as lines. Pure but for colours. */
import type { RunEvent } from '@cellmill/core/run/events.ts'
import { formatCount, formatDuration, formatSize } from './format.ts'
import { safeText } from './output.ts'
import type { Output } from './output.ts'

export interface Line {
  readonly text: string
  /** Shown even under -q. */
  readonly always: boolean
}

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>
type Say<T extends RunEvent['type']> = (event: EventOf<T>, output: Output) => readonly Line[]

const nameWidth = 24

const sayings: { readonly [T in RunEvent['type']]: Say<T> } = {
  'run-started': (event, { colors }) => {
    const walls = event.sandbox === 'none' ? colors.yellow('  no sandbox: steps can read and change anything here') : ''
    const steps = `${formatCount(event.steps, 'step')}, ${event.reused} reused`
    return [say(`run ${colors.bold(event.runId.slice(-6))}  ${event.environment}  ${steps}${walls}`)]
  },
  'source-captured': (event, { verbose }) =>
    event.changed || verbose > 0 ? [say(`source ${event.source}  ${formatSize(event.sizeBytes)} captured`)] : [],
  'step-started': () => [],
  'step-log': (event, { verbose, colors }) =>
    verbose === 0
      ? []
      : event.text
          .replace(/\n$/, '')
          .split('\n')
          .map((line) => say(colors.dim(`  ${event.step} | ${safeText(line)}`))),
  'step-reused': (event, { verbose, colors }) =>
    verbose > 0 ? [say(colors.dim(`= ${event.step}  ${event.reason}`))] : [],
  'step-retrying': (event, { colors }) => {
    const why = safeText(event.error.message.split('\n')[0] ?? '')
    const when = `again in ${formatDuration(event.delayMs)}`
    return [
      say(`${colors.yellow('!')} ${event.step}  attempt ${event.attempt}/${event.attempts} failed: ${why}, ${when}`),
    ]
  },
  'step-succeeded': (event, { colors }) => {
    const made = event.rows === null ? formatSize(event.sizeBytes) : formatCount(event.rows, 'row')
    const empty = event.rows === 0 ? colors.yellow('  empty') : ''
    const count = event.total === 0 ? '' : `[${event.index}/${event.total}] `
    const took = formatDuration(event.ms).padStart(7)
    return [say(`${colors.green(count)}${event.step.padEnd(nameWidth)} ${made.padStart(14)}  ${took}${empty}`)]
  },
  'step-failed': (event) =>
    event.waiting.length === 0 ? [] : [always(`  ${event.waiting.length} waiting for it: ${shortList(event.waiting)}`)],
  'step-cancelled': (event, { colors }) => [say(`${colors.yellow('-')} ${event.step}  cancelled`)],
  'step-skipped': (event, { verbose, colors }) =>
    verbose > 0 ? [say(colors.dim(`- ${event.step}  waits for ${event.because.join(', ')}`))] : [],
  'check-passed': (event, { verbose, colors }) =>
    verbose > 0 || !event.reused
      ? [say(`${colors.green('ok')} ${event.step}${event.reused ? '  passed before' : ''}`)]
      : [],
  'check-failed': (event, { colors }) => {
    const mark = event.severity === 'error' ? colors.red('x') : colors.yellow('!')
    const again = event.reused ? '  (failed before, nothing it reads changed)' : ''
    return [always(`${mark} ${event.step}  ${safeText(event.message)}${again}`)]
  },
  published: (event) => [
    say(`published to ${event.environment} as release ${event.release}   undo: cellmill rollback ${event.environment}`),
  ],
  'publish-held': (event, { colors }) => [always(`${colors.yellow('not published')}  ${safeText(event.reason)}`)],
  'run-finished': (event, { colors }) => {
    const parts = [`${event.built} built`, `${event.reused} reused`]
    if (event.reports > 0) parts.push(formatCount(event.reports, 'report'))
    if (event.checks > 0) parts.push(formatCount(event.checks, 'check'))
    if (event.failed > 0) parts.push(colors.red(`${event.failed} failed`))
    if (event.waiting > 0) parts.push(`${event.waiting} waiting`)
    const [word, next] = {
      succeeded: [colors.green('done'), ''],
      failed: [colors.red('failed'), '   hint: fix it, then  cellmill run'],
      cancelled: [colors.yellow('cancelled'), '   cellmill run  goes on from here'],
      running: ['', ''],
    }[event.state] as [string, string]
    return [always(`${word}  ${parts.join(', ')} in ${formatDuration(event.ms)}${next}`)]
  },
}

export function linesOf(event: RunEvent, output: Output): readonly Line[] {
  const saying = sayings[event.type] as Say<RunEvent['type']>
  return saying(event, output)
}

export function shortList(names: readonly string[]): string {
  return names.length <= 4 ? names.join(', ') : `${names.slice(0, 4).join(', ')} and ${names.length - 4} more`
}

function say(text: string): Line {
  return { text, always: false }
}

function always(text: string): Line {
  return { text, always: true }
}
