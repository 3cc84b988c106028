/**
 * What it is in a value that a replay did not bring back: its parts against the notebook's, and against a further replay
 * from the same state. Parts that differ between two such replays are pinned by nothing that a step is given (entropy of
 * the system, memory that a library left unset); only they can be excused, and only where the notebook itself wavers.
 */
import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { GraduatedStep } from '../graduation.ts'
import type { Observation } from '../observation.ts'
import { valueAfter } from './judge-values.ts'
import { runPythonTask } from './python-task.ts'
import { capturedOf, replaySteps } from './replay-steps.ts'
import type { PreparedInputs, ReplayContext, ReplayedStep } from './replay-steps.ts'

export interface Difference {
  readonly parts: number
  readonly differing: number
  /** Places of the first of them, as `.model.exog`. */
  readonly examples: readonly string[]
  /** Each of them differs between two replays as well, or is part of what does. */
  readonly unsteady: boolean
}

/** By step, then by the notebook's variable. */
export type Differences = ReadonlyMap<string, ReadonlyMap<string, Difference>>

export interface ExplainRequest {
  readonly replay: ReplayContext
  readonly inputs: PreparedInputs
  readonly reference: Observation
  readonly replayed: ReadonlyMap<string, ReplayedStep>
}

export async function explainDifferences(request: ExplainRequest): Promise<Differences> {
  const { replay, inputs } = request
  const steps = replay.graduation.steps.filter((step) => differs(request, step))
  if (steps.length === 0) return new Map()
  // Forks of one process find the same bytes in memory that nobody set; filled differently they do not.
  const fills = [0x5a, 0xa5]
  const folders = fills.map((fill) => path.join(replay.tasks.scratch, `filled-${fill}`))
  const runs: ReadonlyMap<string, ReplayedStep>[] = []
  const localsOf = (step: GraduatedStep): readonly string[] => differingLocals(request, step)
  for (const [i, keepIn] of folders.entries()) {
    runs.push(await replaySteps(replay, steps, { inputs, keepIn, localsOf, memoryFill: fills[i]! }))
  }
  const tasks = steps.flatMap((step) => [
    ...step.outputs.flatMap((output, i) => {
      const [one, two] = runs.map((run) => run.get(step.name)?.outputs[i])
      const captured = capturedOf(replay.captures, output)
      if (one === undefined || two === undefined || 'why' in captured) return []
      const reference = { file: captured.file, codec: 'pickle' }
      const files = { reference, one: { ...one }, two: { ...two } }
      const digests = Object.fromEntries(
        output.variables.map((name) => [name, valueAfter(request.reference, name, output.afterCell)?.digest ?? null]),
      )
      return [{ key: `${step.name}:${i}`, ...files, variables: output.variables, digests }]
    }),
    ...localsOf(step).flatMap((name) => {
      const captured = replay.captures.valueAfter(name, request.reference.order.at(-1) ?? -1)
      if ('why' in captured) return []
      const fileIn = (folder: string) => path.join(folder, step.name, 'outputs', `local-${name}.pickle`)
      const [one, two] = folders.map((folder) => ({ file: fileIn(folder), codec: 'pickle' }))
      const reference = { file: captured.file, codec: 'pickle' }
      return [
        {
          key: `${step.name}:local:${name}`,
          reference,
          one: one!,
          two: two!,
          variables: [name],
          digests: { [name]: finalDigest(request.reference, name) },
        },
      ]
    }),
  ])
  const answers = await runPythonTask<Readonly<Record<string, Difference>>>(replay.tasks, {
    task: 'differences',
    tasks,
  })
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
  return new Map(
    steps.map((step) => {
      const keys = [...step.outputs.keys(), ...localsOf(step).map((name) => `local:${name}`)]
      const found = keys.flatMap((key) => {
        const answer = answers[`${step.name}:${key}`]
        return answer?.ok === true ? Object.entries(answer.value) : []
      })
      return [step.name, new Map(found)]
    }),
  )
}

function finalDigest(reference: Observation, name: string): string | null {
  return reference.final.find((value) => value.name === name)?.digest ?? null
}

function differingLocals({ reference, replayed }: ExplainRequest, step: GraduatedStep): readonly string[] {
  const locals = replayed.get(step.name)?.locals
  return step.locals.filter((name) => {
    const digest = locals?.get(name)?.digest ?? null
    const wanted = finalDigest(reference, name)
    return digest !== null && wanted !== null && digest !== wanted
  })
}

function differs(request: ExplainRequest, step: GraduatedStep): boolean {
  const { reference, replayed } = request
  if (differingLocals(request, step).length > 0) return true
  const values = replayed.get(step.name)?.values
  return step.outputs.some(({ variables, afterCell }) =>
    variables.some((name) => {
      const digest = values?.get(name)?.digest ?? null
      const wanted = valueAfter(reference, name, afterCell)?.digest ?? null
      return digest !== null && wanted !== null && digest !== wanted
    }),
  )
}
