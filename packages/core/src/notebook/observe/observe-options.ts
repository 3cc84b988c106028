/** What one observed run is given. Everything here is data; the kernel is started from it and nothing else. */
import type { Clock } from '../../clock.ts'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import type { Sandbox } from '../../runtimes/sandbox/sandbox.ts'
import type { NotebookDocument } from '../document.ts'
import type { NotebookFacts } from '../ir.ts'
import type { CopyLimits } from './copy-tree.ts'
import type { RunConditions } from './run-conditions.ts'

export interface ObserveLimits {
  /** Wall time of one cell. */
  readonly cellTimeoutMs: number | null
  readonly startTimeoutMs: number
  /** Output kept of one cell; more is said to be cut. */
  readonly cellOutputBytes: number
  readonly memoryBytes: number | null
  readonly captureValueBytes: number
  readonly captureTotalBytes: number
  readonly copy: CopyLimits
}

export const defaultObserveLimits: ObserveLimits = {
  cellTimeoutMs: 30 * 60_000,
  startTimeoutMs: 120_000,
  cellOutputBytes: 128 * 1024 ** 2,
  memoryBytes: null,
  captureValueBytes: 2 * 1024 ** 3,
  captureTotalBytes: 16 * 1024 ** 3,
  copy: { maxFiles: 100_000, maxBytes: 20 * 1024 ** 3 },
}

export interface ObserveOptions {
  /** With repaired sources, where there are repairs. `path` is below the project. */
  readonly document: NotebookDocument
  readonly facts: NotebookFacts
  /** Indices of code cells in the order to run them. */
  readonly execution: readonly number[]
  /** Frozen copy of the project: read, never written. */
  readonly projectCopy: string
  readonly environment: PythonEnvironment
  /** Appended to sys.path behind everything else; null where the environment holds ipykernel itself. */
  readonly toolsSitePackages: string | null
  readonly sandbox: Sandbox
  readonly clock: Clock
  /** `end-only` watches nothing but the values at the end. */
  readonly mode: 'instrumented' | 'end-only'
  readonly conditions: RunConditions
  readonly captureFolder: string | null
  /** Hosts that the run may reach; none cuts the network off. */
  readonly allowNetwork: readonly string[]
  /** This machine's environment, of which only time zone, locale and threads are taken. */
  readonly hostVariables: Readonly<Record<string, string | undefined>>
  readonly limits?: Partial<ObserveLimits>
  readonly signal?: AbortSignal | undefined
  /** After each cell, for people who wait. */
  readonly onCell?: (index: number, state: 'ok' | 'error') => void
}
