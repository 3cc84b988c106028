/** Events of one step. */
import type { StepDefinition } from '../model/project.ts'
import type { RunContext } from './run-context.ts'

/** The members that all events of a step share. */
export function stepEvent(
  context: RunContext,
  step: StepDefinition,
  attempt: number,
): { at: string; runId: string; step: string; asset: string | null; partition: null; attempt: number } {
  const asset = step.outputs[0]?.asset ?? null
  return { at: context.clock.now(), runId: context.runId, step: step.id, asset, partition: null, attempt }
}
