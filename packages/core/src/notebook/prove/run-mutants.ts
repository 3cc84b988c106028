/**
 * M: at least one executed mutant for each step that makes values. A mutant whose output changed must be seen as
 * different; one whose output did not change is equivalent, and another is tried, at most three. Values changed without
 * a run show the same of the comparison alone.
 */
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { GraduatedStep } from '../graduation.ts'
import type { MutantCounts } from './proof.ts'
import { runPythonTask } from './python-task.ts'
import type { PreparedInputs, ReplayContext, ReplayedStep } from './replay-steps.ts'
import { replaySteps } from './replay-steps.ts'

export interface MutantsRequest {
  readonly replay: ReplayContext
  readonly replayed: ReadonlyMap<string, ReplayedStep>
  readonly inputs: PreparedInputs
  /** Stops starting mutants once this much time has passed. */
  readonly budgetMs: number
}

export interface MutantsEnd {
  readonly counts: MutantCounts
  /** A changed value was called equal: the comparison is worth nothing. */
  readonly comparatorFailed: boolean
}

interface Mutant {
  readonly text: string
  readonly line: number
  readonly what: string
}

const mostTries = 3

export async function runMutants(request: MutantsRequest): Promise<MutantsEnd> {
  const { replay, replayed } = request
  const steps = replay.graduation.steps.filter(
    (step) => isTestable(step) && replayed.get(step.name)?.state === 'replayed',
  )
  const skipped = replay.graduation.steps
    .filter((step) => makesValues(step) && !steps.includes(step))
    .map(({ name }) => name)
  const candidates = await mutantsOf(replay, steps)
  const counts = { made: 0, caught: 0, equivalent: 0 }
  const startedAt = performance.now()
  const untested = new Set(steps.map(({ name }) => name))
  for (let round = 0; round < mostTries; round++) {
    const open = steps.filter((step) => untested.has(step.name) && candidates.get(step.name)?.[round] !== undefined)
    if (open.length === 0 || performance.now() - startedAt > request.budgetMs) break
    const ended = await runRound(request, open, (step) => candidates.get(step.name)![round]!)
    for (const [name, result] of ended) {
      counts.made++
      if (result === 'caught') {
        counts.caught++
        untested.delete(name)
      } else if (result === 'equivalent') counts.equivalent++
    }
  }
  const perturbed = await perturbValues(request, steps)
  return {
    counts: { ...counts, perturbed: perturbed.seen, untestedSteps: [...untested, ...skipped].sort() },
    comparatorFailed: perturbed.missed > 0,
  }
}

function makesValues(step: GraduatedStep): boolean {
  return step.kind === 'asset' && step.outputs.some(({ kind }) => kind === 'table' || kind === 'object')
}

/** A query is not changed: its text is read with the project, of which every mutant would be a new one. */
function isTestable(step: GraduatedStep): boolean {
  return makesValues(step) && step.language === 'python'
}

async function mutantsOf(
  replay: ReplayContext,
  steps: readonly GraduatedStep[],
): Promise<ReadonlyMap<string, readonly Mutant[]>> {
  const texts = new Map(replay.graduation.files.map((file) => [file.path, file.text]))
  const tasks = steps.map((step) => ({ key: step.name, text: texts.get(step.file) ?? '', function: step.name }))
  const answers = await runPythonTask<readonly Mutant[]>(replay.tasks, { task: 'mutants', tasks })
  return new Map(Object.entries(answers).map(([name, answer]) => [name, answer.ok ? answer.value : []]))
}

/** Each mutant in a project of its own: they change the same file. */
async function runRound(
  request: MutantsRequest,
  steps: readonly GraduatedStep[],
  mutantOf: (step: GraduatedStep) => Mutant,
): Promise<ReadonlyMap<string, 'caught' | 'equivalent' | 'broken'>> {
  const { replay, replayed } = request
  const roots = new Map<string, string>()
  for (const step of steps) {
    const root = path.join(replay.tasks.scratch, 'mutants', step.name)
    roots.set(step.name, root)
    await mkdir(root, { recursive: true })
    await cp(path.join(replay.tasks.projectRoot, 'assets'), path.join(root, 'assets'), { recursive: true })
    for (const file of replay.codeFiles(replay.definitions.get(step.name)!)) {
      await cp(path.join(replay.tasks.projectRoot, file), path.join(root, file), { recursive: true })
    }
    await writeFile(path.join(root, step.file), mutantOf(step).text)
  }
  const { inputs } = request
  const ended = await replaySteps(replay, steps, { inputs, rootOf: (step) => roots.get(step.name)! })
  await rm(path.join(replay.tasks.scratch, 'mutants'), { recursive: true, force: true })
  return new Map([...ended].map(([name, mutant]) => [name, resultOf(mutant, replayed.get(name)!)]))
}

function resultOf(mutant: ReplayedStep, original: ReplayedStep): 'caught' | 'equivalent' | 'broken' {
  if (mutant.state !== 'replayed') return 'broken'
  const differs = [...original.values].some(([name, { digest }]) => mutant.values.get(name)?.digest !== digest)
  return differs ? 'caught' : 'equivalent'
}

async function perturbValues(
  request: MutantsRequest,
  steps: readonly GraduatedStep[],
): Promise<{ readonly seen: number; readonly missed: number }> {
  const { replay } = request
  const tasks = steps.flatMap((step) =>
    step.outputs.flatMap((output) => {
      const captured =
        output.variables.length === 1 ? replay.captures.valueAfter(output.variables[0]!, output.afterCell) : null
      if (captured === null || 'why' in captured) return []
      return [
        { key: `${step.name}:${output.asset}`, file: captured.file, codec: 'pickle', variables: output.variables },
      ]
    }),
  )
  const answers = await runPythonTask<Readonly<Record<string, boolean | null>>>(replay.tasks, {
    task: 'perturb',
    tasks,
  })
  const results = Object.values(answers).flatMap((answer) => (answer.ok ? Object.values(answer.value) : []))
  return {
    seen: results.filter((result) => result === true).length,
    missed: results.filter((result) => result === false).length,
  }
}
