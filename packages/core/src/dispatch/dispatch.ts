/** Port: where an attempt is executed. `local` calls the runtimes in this process's children; `queue` comes with workers. */
import type { StepLog, StepOutcome, StepWork } from '../runtimes/runtime.ts'

export interface Dispatch {
  /** How many attempts may be under way at once. */
  readonly slots: number
  execute(work: StepWork, log: StepLog, signal: AbortSignal): Promise<StepOutcome>
  close(): Promise<void>
}
