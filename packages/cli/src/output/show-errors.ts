/** The one way in which anything wrong is shown: what, where with the source line and a caret, why, and what to type. */
import type { Diagnostic, Place } from '@cellmill/core/diagnostics.ts'
import { CellmillError } from '@cellmill/core/errors.ts'
import type { UserCodeError, UserFrame } from '@cellmill/core/errors.ts'
import { errorCatalogue } from '@cellmill/core/error-codes.ts'
import { safeText } from './output.ts'
import type { Output } from './output.ts'

/** Shows the error and returns the exit code. */
export function showError(output: Output, error: unknown): number {
  const known = error instanceof CellmillError ? error : unexpected(error)
  const { exitCode } = errorCatalogue[known.code]
  if (output.json) {
    const details = { ...known.details }
    output.writeEvent({
      error: {
        code: known.code,
        message: known.message,
        hint: known.hint ?? null,
        docs: `cellmill explain ${known.code}`,
        details,
      },
    })
    return exitCode
  }
  const { colors } = output
  const diagnostics = known.details['diagnostics']
  if (Array.isArray(diagnostics)) showDiagnostics(output, diagnostics as Diagnostic[])
  output.sayAlways(`${colors.red('error')} ${safeText(known.message)}  ${colors.dim(known.code)}`)
  if (known.hint !== undefined) output.sayAlways(`${colors.cyan('hint:')} ${safeText(known.hint)}`)
  if (output.verbose > 0 || known.code === 'INTERNAL') output.sayAlways(colors.dim(stackOf(error)))
  return exitCode
}

function unexpected(error: unknown): CellmillError {
  const code = (error as { code?: unknown } | null)?.code
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new CellmillError('DISK_FULL', 'the disk is full', {
      hint: 'free some space (cellmill gc helps), then run again',
      cause: error,
    })
  }
  if ((error as { name?: unknown } | null)?.name === 'AbortError')
    return new CellmillError('CANCELLED', 'interrupted', { cause: error })
  return new CellmillError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error })
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack ?? error.cause.message}` : ''
  return `${error.stack ?? error.message}${cause}`
}

const shownDiagnostics = 20

/** Errors first; the rest is counted. */
export function showDiagnostics(output: Output, diagnostics: readonly Diagnostic[]): void {
  const ordered = [...diagnostics].sort((a, b) => rank(a) - rank(b))
  const shown = output.verbose > 0 ? ordered : ordered.slice(0, shownDiagnostics)
  for (const diagnostic of shown) showDiagnostic(output, diagnostic)
  if (shown.length < ordered.length) output.sayAlways(`and ${ordered.length - shown.length} more (-v shows all)`)
}

function rank(diagnostic: Diagnostic): number {
  return diagnostic.severity === 'error' ? 0 : 1
}

export function showDiagnostic(output: Output, diagnostic: Diagnostic): void {
  const { colors } = output
  const word = diagnostic.severity === 'error' ? colors.red('error') : colors.yellow('warning')
  output.sayAlways(`${word} ${safeText(diagnostic.message)}  ${colors.dim(diagnostic.code)}`)
  if (diagnostic.at !== null) for (const line of placeLines(diagnostic.at)) output.sayAlways(line)
  for (const note of diagnostic.notes) output.sayAlways(`  ${safeText(note)}`)
  if (diagnostic.fix !== undefined) output.sayAlways(`  ${colors.cyan('hint:')} ${safeText(diagnostic.fix)}`)
}

function placeLines(at: Place): readonly string[] {
  const cell = at.cell === undefined ? '' : `  (notebook cell ${at.cell})`
  const where = `  ${at.file}:${at.line}:${at.column}${cell}`
  return at.lineText === '' ? [where] : [where, ...caretLines({ ...at, endColumn: at.column + Math.max(1, at.length) })]
}

interface Caret {
  readonly line: number
  readonly column: number | null
  readonly endColumn: number | null
  readonly lineText: string
}

function caretLines(caret: Caret, note = ''): readonly string[] {
  const number = String(caret.line)
  const gutter = ' '.repeat(number.length)
  const text = `  ${number} | ${safeText(caret.lineText)}`
  if (caret.column === null) return [text]
  const length = Math.max(
    1,
    Math.min((caret.endColumn ?? caret.column + 1) - caret.column, caret.lineText.length - caret.column + 1),
  )
  return [text, `  ${gutter} | ${' '.repeat(caret.column - 1)}${'^'.repeat(length)}${note === '' ? '' : ` ${note}`}`]
}

/** A failed step: the user's own innermost frame first, the whole trace under -v. */
export function showStepError(output: Output, step: string, error: UserCodeError): void {
  const { colors } = output
  const [first, ...more] = error.message.split('\n')
  const type = error.type === error.kind ? '' : `${error.type}: `
  output.sayAlways(`${colors.red('x')} ${step}  ${safeText(type + (first ?? ''))}`)
  for (const line of more.slice(0, output.verbose > 0 ? undefined : 6)) output.sayAlways(`  ${safeText(line)}`)
  const own = error.frames.findLast((frame) => frame.isProject) ?? error.frames.at(-1)
  const frames = output.verbose > 0 ? error.frames : own === undefined ? [] : [own]
  for (const frame of frames) for (const line of frameLines(frame)) output.sayAlways(line)
  for (const input of error.inputs.slice(0, 8)) output.sayAlways(`  ${colors.dim(safeText(input))}`)
  if (error.hint !== null) output.sayAlways(`  ${colors.cyan('hint:')} ${safeText(error.hint)}`)
}

function frameLines(frame: UserFrame): readonly string[] {
  const cell = frame.cell === null ? '' : `  (notebook cell ${frame.cell})`
  const where = `  ${safeText(frame.file)}:${frame.line}${cell}`
  return frame.lineText === '' ? [where] : [where, ...caretLines(frame)]
}
