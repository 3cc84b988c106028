/** How a step's process ended, as what the author can do about it. */
import type { UserCodeError } from '../../errors.ts'
import { failure } from '../attempt/outcome.ts'
import type { StepReport, StepWork, UndeclaredRead } from '../runtime.ts'
import type { SandboxExit } from '../sandbox/sandbox.ts'
import { signalOfCode } from '../sandbox/signal-of-code.ts'

/** Null when the process ended by itself with code 0. */
export function exitError(exit: SandboxExit, work: StepWork): UserCodeError | null {
  const { options, id, symbol } = work.definition
  switch (exit.reason) {
    case 'time-limit':
      return failure(
        'time-limit',
        `${id} ran longer than its limit of ${duration(options.timeoutMs ?? exit.ms)} and was stopped`,
        `@asset(timeout="...") above ${symbol} gives it more`,
      )
    case 'output-limit':
      return failure(
        'output-limit',
        `${id} printed too much and was stopped`,
        'print less, or return what it prints as a file',
      )
    case 'out-of-memory':
      return failure('out-of-memory', memoryMessage(work), memoryHint(work))
    case 'process-limit':
      return failure(
        'exit-code',
        `${id} started too many processes and was stopped`,
        'use fewer workers: a step has as many threads as threads= says',
      )
    case 'cancelled':
      return failure('cancelled', `${id} was stopped`, null)
    case 'exited':
      return exitedError(exit, work)
  }
}

function exitedError(exit: SandboxExit, work: StepWork): UserCodeError | null {
  const { id } = work.definition
  const signal = exit.signal ?? signalOfCode(exit.code)
  if (signal === 'SIGKILL') {
    return failure(
      'out-of-memory',
      `${id} was killed, most likely because the machine ran out of memory`,
      memoryHint(work),
    )
  }
  if (signal === 'SIGSYS') return failure('signal', `${id} made a system call that steps may not make`, null)
  if (signal !== null) {
    const cause = signal === 'SIGSEGV' || signal === 'SIGBUS' || signal === 'SIGILL' || signal === 'SIGABRT'
    const hint = cause ? 'a native library crashed: the log shows its last words; try another version of it' : null
    return failure('signal', `${id} was ended by ${signal}`, hint)
  }
  if (exit.code === 0) return null
  if (exit.code === 127) {
    return failure(
      'internal',
      `the process of ${id} could not be started; the log says why`,
      'cellmill packages sync, then cellmill doctor',
    )
  }
  return failure(
    'exit-code',
    `${id} left its process with exit code ${exit.code ?? 'unknown'}`,
    'return from the function instead of ending the process; the log shows its last words',
  )
}

function memoryMessage(work: StepWork): string {
  const limit = work.definition.options.memoryBytes
  return `${work.definition.id} needed more memory than ${limit === null ? 'the machine has' : `its limit of ${size(limit)}`}`
}

function memoryHint(work: StepWork): string {
  const { options, symbol } = work.definition
  const more =
    options.memoryBytes === null
      ? 'read fewer columns with reads=, or work in parts'
      : `@asset(memory="...") above ${symbol} gives it more`
  return `${more}; a table that a query can make needs no memory of Python`
}

/** In a strict environment a result that read something undeclared is not accepted at all. */
export function refusedByStrict(work: StepWork, report: StepReport): UserCodeError | null {
  const declared = work.definition.options.refresh !== null
  const seen = report.undeclared.find(({ kind }) => {
    if (kind === 'clock' || kind === 'random' || kind === 'network') return !declared
    return kind === 'file' || kind === 'process'
  })
  if (seen === undefined) return null
  const place = seen.where === '' ? '' : ` (${seen.where})`
  return failure(
    'contract',
    `${work.definition.id} read ${seen.what}, which it does not declare${place}`,
    strictHint(seen),
  )
}

function strictHint(seen: UndeclaredRead): string {
  switch (seen.kind) {
    case 'file':
      return 'declare it as a source in cellmill.config.ts and take it as an argument'
    case 'network':
      return '@asset(network=["HOST"], refresh="1d"), or make the address a source'
    case 'clock':
      return 'take the argument run_time, which is the logical time of the run, or declare refresh='
    case 'random':
      return 'seed the generator, or declare random="fresh" and refresh='
    case 'process':
      return 'call a library instead, or make what the command reads a source'
    case 'environment':
      return 'declare it in secrets=, or as a parameter with fromEnv()'
  }
}

function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 120) return `${Number(seconds.toFixed(1))} s`
  return `${Number((seconds / 60).toFixed(1))} min`
}

function size(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${Number(value.toFixed(1))} ${units[unit]!}`
}
