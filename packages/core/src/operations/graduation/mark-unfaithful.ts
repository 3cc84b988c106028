/**
 * Values that pickling changes (a class that leaves out or recomputes part of its state) cannot be handed from step to
 * step: they are marked as what cannot be stored before the notebook is cut. Only types of libraries that are not known
 * to come back as they were are looked at, in one process of their own.
 */
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Observation, ObservedValue } from '../../notebook/observation.ts'
import { loadCaptures } from '../../notebook/prove/captures.ts'
import type { SeenValue } from '../../notebook/prove/judge-values.ts'
import { runPythonTask } from '../../notebook/prove/python-task.ts'
import type { TaskContext } from '../../notebook/prove/python-task.ts'

const faithful = /^(?:builtins|numpy|pandas|polars|pyarrow|scipy|sklearn|datetime|collections|pathlib|decimal)\b/u

export type UnfaithfulRequest = Pick<
  TaskContext,
  'sandbox' | 'environment' | 'toolsSitePackages' | 'projectRoot' | 'signal'
> & { readonly captureFolder: string; readonly observation: Observation }

export async function markUnfaithful(request: UnfaithfulRequest): Promise<Observation> {
  const { observation, captureFolder } = request
  const suspects = observation.cells.flatMap(({ index, values }) =>
    values.filter(isSuspect).map((value) => ({ cell: index, value })),
  )
  if (suspects.length === 0) return observation
  const captures = await loadCaptures(captureFolder)
  const tasks = suspects.flatMap(({ cell, value: { name } }) => {
    const captured = captures.valueAfter(name, cell)
    return 'why' in captured
      ? []
      : [{ key: `${cell}:${name}`, file: captured.file, codec: 'pickle', variables: [name] }]
  })
  const scratch = path.join(path.dirname(captureFolder), 'round-trips')
  await mkdir(scratch, { recursive: true })
  // Without a module that stands for the notebook: what needs its definitions does not load, and is left as it is.
  const context = { ...request, mainModule: '', scratch, readable: [captureFolder] }
  const answers = await runPythonTask<Readonly<Record<string, SeenValue>>>(context, { task: 'digest', tasks })
  await rm(scratch, { recursive: true, force: true })
  const changed = new Set<string>()
  for (const { cell, value } of suspects) {
    const answer = answers[`${cell}:${value.name}`]
    const digest = answer?.ok === true ? (answer.value[value.name]?.digest ?? null) : null
    if (digest !== null && digest !== value.digest) changed.add(`${value.name} ${value.digest}`)
  }
  const marked = (value: ObservedValue): ObservedValue =>
    changed.has(`${value.name} ${value.digest}`)
      ? { ...value, kind: 'unserialisable', kindBecause: 'pickling changes it' }
      : value
  return {
    ...observation,
    cells: observation.cells.map((cell) => ({ ...cell, values: cell.values.map(marked) })),
    final: observation.final.map(marked),
  }
}

function isSuspect({ kind, type, digest, holdsDefinitions }: ObservedValue): boolean {
  return kind === 'object' && digest !== null && !faithful.test(type) && (holdsDefinitions ?? []).length === 0
}
