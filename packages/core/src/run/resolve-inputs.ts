/**
 * From a ready step to what it will read: the digests that close its fingerprint, and the folders its attempt gets.
 * Column sets that nobody digested before are digested here and remembered.
 */
import type { RunStepInput, SourceObservation } from '../catalog/catalog.ts'
import { CellmillError } from '../errors.ts'
import type { InputDefinition, StepDefinition } from '../model/project.ts'
import type { SnapshotRecord } from '../model/snapshot.ts'
import { inputDigest, randomDigest, readSetOf } from '../plan/input-digest.ts'
import type { DigestContext } from '../plan/input-digest.ts'
import type { StepInput } from '../runtimes/runtime.ts'
import type { RunContext } from './run-context.ts'

/** What is known of finished work while a run goes on. */
export interface RunKnowledge {
  readonly snapshots: ReadonlyMap<string, SnapshotRecord>
  /** By source name, once captured (or known to be captured already). */
  readonly captures: ReadonlyMap<string, SourceObservation>
}

export interface ResolvedInputs {
  readonly digests: readonly string[]
  readonly recorded: readonly RunStepInput[]
}

export async function resolveInputs(
  context: RunContext,
  step: StepDefinition,
  known: RunKnowledge,
): Promise<ResolvedInputs> {
  const recorded: RunStepInput[] = []
  for (const input of step.inputs) recorded.push(await recordInput(context, step, input, known))
  const { afterRandom } = step.options
  if (afterRandom !== null) {
    const snapshot = snapshotOf(known, afterRandom)
    const digest = randomDigest(snapshot)
    recorded.push({ argument: 'after_random', digest, snapshotId: snapshot.id, address: null, name: afterRandom })
  }
  return { digests: recorded.map((input) => input.digest), recorded }
}

async function recordInput(
  context: RunContext,
  step: StepDefinition,
  input: InputDefinition,
  known: RunKnowledge,
): Promise<RunStepInput> {
  const target = input.target!
  if (target.type === 'source') {
    const capture = known.captures.get(target.name)
    if (!capture) throw new CellmillError('INTERNAL', `source '${target.name}' was not captured before '${step.id}'`)
    return {
      argument: input.argument,
      digest: capture.contentDigest,
      snapshotId: null,
      address: capture.address,
      name: target.name,
    }
  }
  const snapshot = snapshotOf(known, target.name)
  const digest = await digestOfSnapshot(context, step, input, snapshot)
  return { argument: input.argument, digest, snapshotId: snapshot.id, address: null, name: target.name }
}

function snapshotOf(known: RunKnowledge, asset: string): SnapshotRecord {
  const snapshot = known.snapshots.get(asset)
  if (!snapshot) throw new CellmillError('INTERNAL', `'${asset}' has no snapshot yet`)
  return snapshot
}

/** The digest with which a step reads a snapshot; a column set that nobody digested before is digested now. */
export async function digestOfSnapshot(
  context: RunContext,
  step: StepDefinition,
  input: InputDefinition,
  snapshot: SnapshotRecord,
): Promise<string> {
  const found = inputDigest(context.digests, step, input, snapshot)
  if (found !== null) return found
  const reads = readSetOf(context.digests.languages, step, input, snapshot)
  const [engine, files] = await Promise.all([context.engine(), filesOf(context, snapshot.address)])
  const base = await engine.digest(
    files.map((file) => file.path),
    reads.columns,
    reads.form,
  )
  await context.catalog.saveColumnDigest(snapshot.id, reads.form, reads.key, base)
  const remembered: DigestContext = { ...context.digests, columnDigest: () => base }
  return inputDigest(remembered, step, input, snapshot)!
}

/** Data files of a blob, generator states left out. */
async function filesOf(
  context: RunContext,
  address: string,
): Promise<readonly { readonly name: string; readonly path: string }[]> {
  const folder = await context.store.localPath(address)
  const entries = await context.store.manifest(address)
  return dataEntries(entries).map((name) => ({ name, path: `${folder}/${name}` }))
}

export const randomStateEntry = 'random.pickle'

export function dataEntries(entries: readonly { readonly name: string }[]): string[] {
  return entries.map((entry) => entry.name).filter((name) => name !== randomStateEntry)
}

/** The folders and files an attempt reads. */
export async function stepInputs(
  context: RunContext,
  step: StepDefinition,
  known: RunKnowledge,
): Promise<readonly StepInput[]> {
  return Promise.all(step.inputs.map(async (input) => stepInput(context, input, known)))
}

async function stepInput(context: RunContext, input: InputDefinition, known: RunKnowledge): Promise<StepInput> {
  const target = input.target!
  const common = {
    argument: input.argument,
    form: input.form,
    annotation: input.annotation,
    columns: input.columns,
    name: target.name,
  }
  if (target.type === 'asset') {
    const snapshot = snapshotOf(known, target.name)
    const folder = await context.store.localPath(snapshot.address)
    const files = dataEntries(await context.store.manifest(snapshot.address))
    return {
      ...common,
      origin: 'asset',
      codec: snapshot.codec,
      folder,
      files,
      sourcePaths: [],
      isGlob: false,
      options: {},
    }
  }
  const source = context.project.config.sources.find((candidate) => candidate.name === target.name)!
  const { address } = known.captures.get(target.name)!
  const folder = await context.store.localPath(address!)
  const files = (await context.store.manifest(address!)).map((entry) => entry.name)
  const format = source.type === 'sqlite' ? 'parquet' : source.format
  const options = source.type === 'sqlite' ? {} : source.options
  const isGlob = source.type === 'file' && source.isGlob
  return { ...common, origin: 'source', codec: format, folder, files, sourcePaths: files, isGlob, options }
}
