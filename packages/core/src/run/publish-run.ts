/**
 * The end of a run: pointers move in one transaction, or nothing does. What may move is decided here from the ended
 * steps, the stored verdicts of every `error` check, and the consistency of the whole resulting environment.
 */
import type { Json } from '../canonical.ts'
import type { PointerRecord, ReleaseRecord } from '../catalog/catalog.ts'
import { crashPoint } from '../crash-points.ts'
import { describeInconsistencies, inconsistencies, largestConsistent } from './consistency.ts'
import type { ConsistencyRequest } from './consistency.ts'
import { movedAssets } from './moved-assets.ts'
import { digestOfSnapshot } from './resolve-inputs.ts'
import type { RunKnowledge } from './resolve-inputs.ts'
import type { RunContext } from './run-context.ts'

export interface PublishInput {
  readonly known: RunKnowledge
  /** Store address of the code that ran. */
  readonly codeBundle: string
  /** Steps that failed, were skipped, or have a failed `error` check, by step id. */
  readonly broken: ReadonlySet<string>
  /** Why, for the message. */
  readonly because: string
}

export type PublishEnd =
  | { readonly state: 'published'; readonly release: ReleaseRecord; readonly moved: readonly string[] }
  | { readonly state: 'unchanged' }
  | { readonly state: 'held'; readonly reason: string }
  | { readonly state: 'refused'; readonly reason: string; readonly hint: string }

export async function publishRun(context: RunContext, input: PublishInput): Promise<PublishEnd> {
  const { plan, catalog, environment } = context
  if (environment.publishing === 'all' && input.broken.size > 0) {
    return { state: 'refused', reason: input.because, hint: 'fix it, then  cellmill run' }
  }
  const view = catalog.view()
  const before = view.pointers(environment.name)
  const wanted = wantedPointers(context, input, before)
  const request = consistencyRequest(context)
  let pointers: ReadonlyMap<string, PointerRecord> = wanted
  let mixed = false
  if (environment.publishing === 'consistent') pointers = await largestConsistent(request, before, wanted)
  else {
    const found = await inconsistencies({ ...request, pointers })
    mixed = found.length > 0
    if (mixed && !context.allowMixed) return { state: 'refused', ...describeInconsistencies(found) }
  }
  const moved = movedAssets(before.values(), pointers.values())
  if (moved.length === 0) return { state: 'unchanged' }
  const { codeBundle } = input
  const state = view.environment(environment.name)
  if (state.held && (state.heldBundle === null || state.heldBundle === codeBundle)) {
    return { state: 'held', reason: `${environment.name} is held; what was built is kept` }
  }
  crashPoint('publisher.before-publish')
  const release = await catalog.publish({
    environment: environment.name,
    expectedRelease: plan.base?.release ?? 0,
    release: releaseOf(context, { codeBundle, mixed, pointers, known: input.known }),
    hold: state.held ? 'clear' : 'keep',
  })
  crashPoint('publisher.after-publish')
  return { state: 'published', release, moved }
}

/** A full run's environment is exactly its assets; a partial run lays its own over what is there. */
function wantedPointers(
  context: RunContext,
  input: PublishInput,
  before: ReadonlyMap<string, PointerRecord>,
): ReadonlyMap<string, PointerRecord> {
  const wanted = new Map<string, PointerRecord>()
  const inProject = new Set(context.graph.order.flatMap((step) => step.outputs.map((output) => output.asset)))
  for (const [asset, pointer] of before) if (!context.plan.full || inProject.has(asset)) wanted.set(asset, pointer)
  for (const row of context.plan.steps) {
    if (row.action === 'remove' || !row.publishes || input.broken.has(row.step)) continue
    for (const asset of row.assets) {
      const snapshot = input.known.snapshots.get(asset)
      if (snapshot === undefined) continue
      wanted.set(asset, { asset, snapshotId: snapshot.id, fingerprint: snapshot.fingerprint, step: row.step })
    }
  }
  // A row that is `reuse` without a move still belongs to a full environment.
  for (const [asset, snapshot] of input.known.snapshots) {
    const step = context.graph.producerOf.get(asset)
    if (
      wanted.has(asset) ||
      step === undefined ||
      input.broken.has(step.id) ||
      context.plan.work[step.id] === undefined
    )
      continue
    wanted.set(asset, { asset, snapshotId: snapshot.id, fingerprint: snapshot.fingerprint, step: step.id })
  }
  return wanted
}

function consistencyRequest(context: RunContext): Omit<ConsistencyRequest, 'pointers'> {
  const view = context.catalog.view()
  return {
    view,
    graph: context.graph,
    digestOf: async (stepId, argument, snapshotId) => {
      const step = context.graph.byId.get(stepId)
      const input = step?.inputs.find((candidate) => candidate.argument === argument)
      const snapshot = view.snapshot(snapshotId)
      if (step === undefined || input === undefined || snapshot === null) return null
      return digestOfSnapshot(context, step, input, snapshot)
    },
  }
}

interface ReleaseParts {
  readonly codeBundle: string
  readonly mixed: boolean
  readonly pointers: ReadonlyMap<string, PointerRecord>
  readonly known: RunKnowledge
}

function releaseOf(
  context: RunContext,
  parts: ReleaseParts,
): Omit<ReleaseRecord, 'number' | 'environment' | 'createdAt'> {
  return {
    runId: context.runId,
    author: context.author,
    message: context.message,
    gitCommit: context.gitCommit,
    codeBundle: parts.codeBundle,
    packages: context.packages,
    parameters: recordedParameters(context),
    sources: recordedSources(parts.known),
    cause: 'run',
    restores: null,
    mixed: parts.mixed,
    pointers: [...parts.pointers.values()].sort((a, b) => (a.asset < b.asset ? -1 : 1)),
  }
}

/** Of the project by name, of a step as `step.name`. */
export function recordedParameters(context: RunContext): Readonly<Record<string, Json>> {
  const parameters: Record<string, Json> = {}
  for (const { name, value } of context.parameters.project.values()) parameters[name] = value
  for (const [step, own] of context.parameters.own) {
    for (const { name, value } of own.values()) parameters[`${step}.${name}`] = value
  }
  return parameters
}

/** What each source was bound to and held. */
export function recordedSources(known: RunKnowledge): Readonly<Record<string, Json>> {
  const sources: Record<string, Json> = {}
  for (const [name, capture] of known.captures) {
    sources[name] = { binding: capture.binding, contentDigest: capture.contentDigest, address: capture.address }
  }
  return sources
}
