/** How a TypeScript step's process ended, as what its author can do about it. */
import type { UserCodeError } from '../../errors.ts'
import { failure } from '../attempt/outcome.ts'
import type { StepReport, StepWork } from '../runtime.ts'
import type { SandboxExit } from '../sandbox/sandbox.ts'

/** Null when the process ended by itself with code 0. */
export function exitError(exit: SandboxExit, work: StepWork, stderr: string): UserCodeError | null {
  const { id, options } = work.definition
  switch (exit.reason) {
    case 'time-limit':
      return failure(
        'time-limit',
        `${id} ran longer than its limit of ${options.timeoutMs ?? exit.ms} ms and was stopped`,
        "give it more with  timeout: '10m'",
      )
    case 'output-limit':
      return failure('output-limit', `${id} printed too much and was stopped`, 'print less, or return it as a file')
    case 'out-of-memory':
      return failure('out-of-memory', `${id} needed more memory than it may have`, moreMemory)
    case 'cancelled':
      return failure('cancelled', `${id} was stopped`, null)
    case 'exited':
      break
    case 'process-limit':
      return failure('exit-code', `${id} started too many processes and was stopped`, 'use fewer workers')
  }
  return exitedError(exit, work, stderr)
}

const moreMemory = "give it more with  memory: '4GB',  or read fewer columns"

function exitedError(exit: SandboxExit, work: StepWork, stderr: string): UserCodeError | null {
  const { id } = work.definition
  if (/JavaScript heap out of memory|Reached heap limit/.test(stderr)) {
    return failure('out-of-memory', `${id} needed more memory than it may have`, moreMemory)
  }
  if (exit.signal === 'SIGKILL' || exit.code === 137) {
    return failure('out-of-memory', `${id} was killed, most likely because the machine ran out of memory`, moreMemory)
  }
  if (exit.signal !== null)
    return failure('signal', `${id} was ended by ${exit.signal}`, 'the log shows its last words')
  if (exit.code === 0) return null
  if (exit.code === 127)
    return failure('internal', `the process of ${id} could not be started; the log says why`, 'cellmill doctor')
  return failure(
    'exit-code',
    `${id} left its process with exit code ${exit.code ?? 'unknown'}`,
    'return from run instead of ending the process; the log shows its last words',
  )
}

/** In a strict environment a result that read something undeclared is not accepted at all. */
export function refusedByStrict(work: StepWork, report: StepReport): UserCodeError | null {
  const [seen] = work.definition.options.refresh === null ? report.undeclared : []
  if (seen === undefined) return null
  const where = seen.where === '' ? '' : ` at ${seen.where}`
  return failure(
    'contract',
    `${work.definition.id} read ${seen.what}${where}, which it does not declare`,
    "take runTime and random from what run gets, or declare  refresh: '1d'",
  )
}
