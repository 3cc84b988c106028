/**
 * Where a command writes: data on stdout, words for people on stderr. Colours and the live line only on a terminal;
 * nothing that comes from users' data reaches the terminal with control characters.
 */
import picocolors from 'picocolors'

export interface Output {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: number
  /** stderr is a terminal that takes a live line. */
  readonly live: boolean
  readonly colors: ReturnType<typeof picocolors.createColors>
  /** Width of the terminal; 100 where there is none. */
  readonly columns: number
  /** One JSON value on stdout, the answer of a query. */
  writeJson(value: unknown): void
  /** One line of NDJSON on stdout. */
  writeEvent(value: unknown): void
  /** Data for people on stdout, as it is. */
  writeData(text: string): void
  /** A line of words on stderr; dropped under -q and --json. */
  say(line: string): void
  /** A line that is shown even under -q: errors and the last line. */
  sayAlways(line: string): void
}

export interface OutputOptions {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: number
}

export function processOutput(options: OutputOptions): Output {
  const { env } = process
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0'
  const terminal = process.stderr.isTTY && env['TERM'] !== 'dumb'
  const colored = forced || (terminal && env['NO_COLOR'] === undefined)
  const live = terminal && env['CI'] === undefined && !options.json && !options.quiet
  return {
    ...options,
    live,
    colors: picocolors.createColors(colored),
    columns: process.stderr.columns > 0 ? process.stderr.columns : 100,
    writeJson: (value) => void process.stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    writeEvent: (value) => void process.stdout.write(`${JSON.stringify(value)}\n`),
    writeData: (text) => void process.stdout.write(text),
    say: (line) => {
      if (!options.json && !options.quiet) process.stderr.write(`${line}\n`)
    },
    sayAlways: (line) => {
      if (!options.json) process.stderr.write(`${line}\n`)
    },
  }
}

/** Untrusted text made safe for a terminal: control characters (ESC, BEL, CR, C1, bidi) are shown, not obeyed. */
export function safeText(text: string): string {
  return text.replaceAll(
    // oxlint-disable-next-line no-control-regex
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}
