/**
 * Which queries of a notebook become SQL assets: those whose file alone, on the notebook's own frames, gives exactly the
 * frame that the notebook had. Another is converted again as Python, and the graduation says why.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { isError } from '../../diagnostics.ts'
import type { SqlParser } from '../../engines/sql-parser.ts'
import type { Graduation } from '../../notebook/graduation.ts'
import type { GraduateResult } from '../../notebook/graduate/graduate-notebook.ts'
import type { Observation } from '../../notebook/observation.ts'
import type { Proof } from '../../notebook/prove/proof.ts'
import { prepareInputs, replaySteps } from '../../notebook/prove/replay-steps.ts'
import type { Workspace } from '../workspace.ts'
import { isUnequal } from './not-proven-reasons.ts'
import { openReplay } from './replay-context.ts'
import type { ReplayRequest } from './replay-context.ts'
import { stageProject } from './stage-project.ts'
import { writeQueries } from './write-queries.ts'

export interface QueryChoiceRequest extends Omit<ReplayRequest, 'staged' | 'graduation'> {
  readonly workspace: Workspace
  readonly scratch: string
  readonly reference: Observation
  /** `existing`: the project's files decide. */
  readonly pipeline: 'new' | 'existing'
  readonly convert: (inPython: ReadonlyMap<number, string>) => GraduateResult
}

const differentResult = 'as an asset it gives another frame (types, or the order of rows)'

/** Each query alone was exact, so only what differs in the whole pipeline can come of them: replays had R1's own frames. */
function mayBeToBlame({ values, outputs }: Proof): boolean {
  const bad = values.filter(({ verdict }) => isUnequal(verdict))
  return (
    bad.length === 0 || bad.some(({ level }) => level === 'end-to-end') || outputs.some((one) => isUnequal(one.verdict))
  )
}

export class QueryChoice {
  readonly #request: QueryChoiceRequest
  readonly #inPython = new Map<number, string>()
  readonly #asFloats = new Set<number>()

  constructor(request: QueryChoiceRequest) {
    this.#request = request
  }

  /** Ends: each round takes a query out, or writes its sums otherwise, which is done once. */
  async settle(): Promise<GraduateResult> {
    for (;;) {
      const converted = this.#request.convert(this.#inPython)
      if ('refusals' in converted || (converted.graduation.queries ?? []).length === 0) return converted
      if (this.#request.pipeline === 'existing' && this.#leaveOthers(converted.graduation)) continue
      const parser: SqlParser = await this.#request.workspace.engine()
      const { graduation, unfit, summing } = await writeQueries(parser, converted.graduation, this.#asFloats)
      for (const [unit, why] of unfit) this.#inPython.set(unit, why)
      if (unfit.size > 0) continue
      if (this.#request.pipeline === 'existing') return { graduation }
      const differing = await this.#differing(graduation)
      if (differing.size === 0) return { graduation }
      for (const { step, unit } of graduation.queries ?? []) {
        const why = differing.get(step)
        if (why === undefined) continue
        if (summing.has(unit) && !this.#asFloats.has(unit)) this.#asFloats.add(unit)
        else this.#inPython.set(unit, why)
      }
    }
  }

  /** After a proof that failed; false where no query can be to blame, and nothing would change. */
  keepInPython(graduation: Graduation, proof: Proof): boolean {
    const queries = mayBeToBlame(proof) ? (graduation.queries ?? []) : []
    for (const { unit } of queries) this.#inPython.set(unit, 'the pipeline with it as an asset was not proven')
    return queries.length > 0
  }

  /** True where the project has one of them as Python. */
  #leaveOthers(graduation: Graduation): boolean {
    const { root } = this.#request.workspace
    const fileOf = new Map(graduation.steps.map((step) => [step.name, step.file]))
    const others = (graduation.queries ?? []).filter(({ step }) => !existsSync(path.join(root, fileOf.get(step) ?? '')))
    for (const { unit } of others) this.#inPython.set(unit, 'the project has it so')
    return others.length > 0
  }

  /** Steps whose query alone does not give what the notebook had, with why. */
  async #differing(graduation: Graduation): Promise<ReadonlyMap<string, string>> {
    const request = this.#request
    const folder = await mkdtemp(path.join(request.scratch, 'queries-'))
    const target = path.join(folder, 'staged')
    const root = await stageProject({ root: request.workspace.root, target, signal: request.signal }, graduation)
    const staged = request.workspace.open(root)
    try {
      const steps = graduation.steps.filter(({ language }) => language === 'sql')
      const { project } = await staged.project()
      const problem = project.diagnostics.find(isError)
      if (problem !== undefined) return this.#blamed(graduation, problem.at?.file ?? null, problem.message)
      const replaying = await openReplay({ ...request, staged, graduation })
      try {
        const inputs = await prepareInputs(replaying.context, steps)
        const replayed = await replaySteps(replaying.context, steps, { inputs })
        return new Map(
          steps.flatMap((step): readonly (readonly [string, string])[] => {
            const done = replayed.get(step.name)
            if (done?.state !== 'replayed') return [[step.name, `as an asset it fails (${done?.why ?? ''})`]]
            const same = step.outputs.every(({ variables, afterCell }) =>
              variables.every((name) => this.#hadDigest(name, afterCell) === (done.values.get(name)?.digest ?? null)),
            )
            return same ? [] : [[step.name, differentResult]]
          }),
        )
      } finally {
        await replaying.close()
      }
    } finally {
      await staged.close()
      await rm(folder, { recursive: true, force: true })
    }
  }

  /** The query that a problem of the project stands in; all of them where it stands elsewhere. */
  #blamed(graduation: Graduation, file: string | null, message: string): ReadonlyMap<string, string> {
    const steps = graduation.steps.filter(({ language }) => language === 'sql')
    const own = steps.filter((step) => step.file === file)
    return new Map(
      (own.length > 0 ? own : steps).map(({ name }) => [name, `as an asset it is not accepted (${message})`]),
    )
  }

  #hadDigest(name: string, cell: number): string | undefined {
    const seen = this.#request.reference.cells.find(({ index }) => index === cell)
    return seen?.values.find((value) => value.name === name)?.digest ?? undefined
  }
}
