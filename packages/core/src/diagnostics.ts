/**
 * A problem in the user's project or notebook, as a value: collected and shown together, never thrown.
 * Lines and columns are 1-based; `length` counts characters under the caret.
 */
import type { DiagnosticCode } from './diagnostic-codes.ts'

export interface Place {
  /** Path relative to the project's root, with forward slashes. */
  readonly file: string
  /** 0-based index of the notebook cell, where the file is a notebook. */
  readonly cell?: number
  readonly line: number
  readonly column: number
  readonly length: number
  readonly lineText: string
}

export interface Diagnostic {
  readonly code: DiagnosticCode
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly at: Place | null
  readonly notes: readonly string[]
  /** What to type or change, in one line. */
  readonly fix?: string
}

export function isError(diagnostic: Diagnostic): boolean {
  return diagnostic.severity === 'error'
}
