/** What a reader of each asset of a built pipeline gets, as digests that a proof compares. */
import type { Graduation } from '../../notebook/graduation.ts'
import type { SeenValue } from '../../notebook/prove/judge-values.ts'
import { runPythonTask } from '../../notebook/prove/python-task.ts'
import type { TaskContext } from '../../notebook/prove/python-task.ts'
import type { BuiltPipeline } from './build-pipeline.ts'

/** By asset, then by the notebook's variable. */
export type ValuesByAsset = ReadonlyMap<string, ReadonlyMap<string, SeenValue>>

export async function pipelineValues(
  graduation: Graduation,
  tasks: TaskContext,
  pipeline: BuiltPipeline,
): Promise<ValuesByAsset> {
  const wanted = graduation.steps
    .flatMap((step) => step.outputs)
    .filter(({ kind }) => kind === 'table' || kind === 'object')
  const requests = wanted.flatMap(({ asset, variables }) => {
    const stored = pipeline.assets.get(asset)
    return stored === undefined ? [] : [{ key: asset, file: stored.file, codec: stored.codec, variables }]
  })
  const answers = await runPythonTask<Readonly<Record<string, SeenValue>>>(tasks, { task: 'digest', tasks: requests })
  const values = new Map<string, ReadonlyMap<string, SeenValue>>()
  for (const [asset, answer] of Object.entries(answers)) {
    const names = wanted.find((output) => output.asset === asset)!.variables
    values.set(
      asset,
      new Map(
        answer.ok
          ? Object.entries(answer.value)
          : names.map((name) => [name, { digest: null, problem: answer.problem }]),
      ),
    )
  }
  return values
}
