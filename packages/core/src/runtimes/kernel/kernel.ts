/**
 * A running Jupyter kernel as a value. Invariant: every `execute` and `request` settles: with an answer, with a cell's
 * time limit, or with KERNEL_FAILED when the process is gone.
 */
import type { KernelOutput } from './cell-outputs.ts'

export interface ExecuteOptions {
  /** Wall time of the cell; null for none. When it passes, the cell is interrupted, and the kernel killed if it goes on. */
  readonly timeoutMs?: number | null
  /** Whether cells sent after a failing one are refused by the kernel. @default false */
  readonly stopOnError?: boolean
  readonly metadata?: Readonly<Record<string, unknown>>
}

export interface ExecuteResult {
  readonly state: 'ok' | 'error' | 'aborted' | 'time-limit'
  readonly outputs: readonly KernelOutput[]
  /** Bytes shown but not kept. */
  readonly cutBytes: number
  readonly comms: number
  readonly error: { readonly name: string; readonly value: string } | null
  readonly ms: number
  readonly executionCount: number | null
}

export interface KernelInfo {
  readonly implementation: string
  readonly implementationVersion: string
  readonly language: string
  readonly languageVersion: string
}

export interface Kernel {
  readonly info: KernelInfo
  execute(source: string, options?: ExecuteOptions): Promise<ExecuteResult>
  /** A message of our own on the shell channel, answered by `kernel_main.py` with `<type>` ending in `_reply`. */
  request(
    type: string,
    content: Readonly<Record<string, unknown>>,
    timeoutMs: number | null,
  ): Promise<Readonly<Record<string, unknown>>>
  interrupt(): Promise<void>
  /** Asks the kernel to stop, and kills it after a grace. */
  close(): Promise<void>
  /** What the process wrote to stdout and stderr outside any cell; the last 8 kB. */
  tail(): string
}
