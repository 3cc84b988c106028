/** What a run says while it goes, one event a line under `--json`. Fields are added, never renamed. */
import type { Diagnostic } from '../diagnostics.ts'
import type { UserCodeError } from '../errors.ts'

interface EventBase {
  /** ISO 8601, UTC. */
  readonly at: string
  readonly runId: string
}
interface StepEventBase extends EventBase {
  readonly step: string
  readonly asset: string | null
  readonly partition: null
  readonly attempt: number
}

export type RunState = 'running' | 'succeeded' | 'failed' | 'cancelled'

export type RunEvent =
  | (EventBase & {
      readonly type: 'run-started'
      readonly environment: string
      readonly steps: number
      readonly reused: number
      readonly sandbox: string
    })
  | (EventBase & {
      readonly type: 'source-captured'
      readonly source: string
      readonly sizeBytes: number
      readonly changed: boolean
    })
  | (StepEventBase & { readonly type: 'step-started' })
  | (StepEventBase & { readonly type: 'step-log'; readonly stream: 'stdout' | 'stderr'; readonly text: string })
  | (StepEventBase & { readonly type: 'step-reused'; readonly reason: string; readonly rows: number | null })
  | (StepEventBase & {
      readonly type: 'step-retrying'
      readonly error: UserCodeError
      readonly delayMs: number
      readonly attempts: number
    })
  | (StepEventBase & {
      readonly type: 'step-succeeded'
      readonly ms: number
      readonly rows: number | null
      readonly sizeBytes: number
      readonly index: number
      readonly total: number
    })
  | (StepEventBase & {
      readonly type: 'step-failed'
      readonly ms: number
      readonly error: UserCodeError
      readonly waiting: readonly string[]
    })
  | (StepEventBase & { readonly type: 'step-cancelled' })
  | (StepEventBase & { readonly type: 'step-skipped'; readonly because: readonly string[] })
  | (StepEventBase & { readonly type: 'check-passed'; readonly severity: string; readonly reused: boolean })
  | (StepEventBase & {
      readonly type: 'check-failed'
      readonly severity: string
      readonly reused: boolean
      readonly message: string
      readonly rows: number | null
    })
  | (EventBase & {
      readonly type: 'published'
      readonly environment: string
      readonly release: number
      readonly moved: readonly string[]
    })
  | (EventBase & { readonly type: 'publish-held'; readonly environment: string; readonly reason: string })
  | (EventBase & {
      readonly type: 'run-finished'
      readonly state: RunState
      readonly built: number
      readonly reused: number
      readonly failed: number
      readonly waiting: number
      readonly checks: number
      readonly reports: number
      readonly attempts: number
      readonly ms: number
      readonly release: number | null
      readonly diagnostics: readonly Diagnostic[]
    })
