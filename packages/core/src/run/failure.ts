/** What went wrong around a step, as the value that steps fail with. Anything that is no known error is a bug and is rethrown. */
import { isCellmillError } from '../errors.ts'
import type { FailureKind, UserCodeError } from '../errors.ts'
import type { StepDefinition } from '../model/project.ts'

export function asUserCodeError(error: unknown, step: StepDefinition): UserCodeError {
  if (!isCellmillError(error)) {
    if (isDiskFull(error))
      return failure('disk-full', 'the disk is full', 'free some space, then run again: cellmill gc')
    throw error
  }
  const kinds: Partial<Record<string, FailureKind>> = {
    DISK_FULL: 'disk-full',
    CANCELLED: 'cancelled',
    PACKAGES_NOT_INSTALLED: 'packages',
    PACKAGES_DRIFTED: 'packages',
    QUERY_FAILED: 'contract',
  }
  const kind = kinds[error.code] ?? 'internal'
  return { ...failure(kind, error.message, error.hint ?? null), type: error.code, frames: [placeOf(step)] }
}

function failure(kind: FailureKind, message: string, hint: string | null): UserCodeError {
  return { kind, type: kind, message, frames: [], inputs: [], hint }
}

function isDiskFull(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'ENOSPC' || code === 'EDQUOT'
}

function placeOf(step: StepDefinition): UserCodeError['frames'][number] {
  const { file, line, column, lineText } = step.place
  return { file, line, column, endColumn: null, function: step.symbol, lineText, isProject: true, cell: null }
}
