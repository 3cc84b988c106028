/**
 * What an attempt in a process of its own came to, in any language: from how the process ended and what it left. What the
 * process says of itself counts only where its end does not contradict it.
 */
import type { FailureKind, UserCodeError } from '../../errors.ts'
import type { StepOutcome, StepReport, StepWork } from '../runtime.ts'
import type { SandboxExit } from '../sandbox/sandbox.ts'

export type ReadReport = { readonly report: StepReport } | { readonly problem: string }

/** How a language reads an attempt. */
export interface AttemptReader {
  /** Null when the process left no account of a failure. */
  readError(work: StepWork): Promise<UserCodeError | null>
  /** Null when the process ended by itself with code 0. */
  exitError(exit: SandboxExit, work: StepWork): UserCodeError | null
  readReport(work: StepWork): Promise<ReadReport>
  /** In a strict environment: why the result is not accepted. */
  refusedByStrict(work: StepWork, report: StepReport): UserCodeError | null
  /** What to do instead of ending the process. */
  readonly returnHint: string
}

export async function attemptOutcome(
  reader: AttemptReader,
  { work, signal }: { readonly work: StepWork; readonly signal: AbortSignal },
  exit: SandboxExit,
): Promise<StepOutcome> {
  if (signal.aborted || exit.reason === 'cancelled') return { state: 'cancelled' }
  const left = await reader.readError(work)
  const ended = reader.exitError(exit, work)
  if (left !== null && (ended === null || ended.kind === 'exit-code')) return failed(left)
  if (ended !== null) return failed(ended)
  const read = await reader.readReport(work)
  if ('problem' in read) {
    const message = `${work.definition.id} ended without a result: ${read.problem}`
    return failed(failure('contract', message, reader.returnHint))
  }
  const peaks = [read.report.peakMemoryBytes, exit.peakMemoryBytes].filter((bytes) => bytes !== null)
  const peakMemoryBytes = peaks.length === 0 ? null : Math.max(...peaks)
  const report: StepReport = { ...read.report, peakMemoryBytes }
  const refused = work.strict ? reader.refusedByStrict(work, report) : null
  return refused === null ? { state: 'succeeded', report } : failed(refused)
}

/** Without frames: told of the process, not of a line. */
export function failure(kind: FailureKind, message: string, hint: string | null): UserCodeError {
  return { kind, type: kind, message, frames: [], inputs: [], hint }
}

function failed(error: UserCodeError): StepOutcome {
  return { state: 'failed', error, retryable: isRetryable(error.kind) }
}

/** Whether trying again may help at all; `retries` decides whether it is tried. */
function isRetryable(kind: FailureKind): boolean {
  switch (kind) {
    case 'exception':
    case 'exit-code':
    case 'signal':
    case 'out-of-memory':
    case 'time-limit':
    case 'disk-full':
      return true
    case 'output-limit':
    case 'contract':
    case 'packages':
    case 'cancelled':
    case 'internal':
      return false
  }
}
