/**
 * The test that guards every publish: for each asset of the resulting *whole* environment, every input digest recorded
 * when it was built equals that of the snapshot which its input's pointer would name. Otherwise readers would see assets
 * that were never computed from each other.
 */
import { canonicalJson } from '../canonical.ts'
import type { Json } from '../canonical.ts'
import type { PlanView, PointerRecord } from '../catalog/catalog.ts'
import type { Graph } from '../model/graph.ts'
import type { SnapshotRecord } from '../model/snapshot.ts'

export interface Inconsistency {
  readonly asset: string
  /** The input that has moved on, or was never published. */
  readonly input: string
}

/** In words, with what to type. */
export function describeInconsistencies([first, ...others]: readonly Inconsistency[]): {
  readonly reason: string
  readonly hint: string
} {
  if (first === undefined) throw new RangeError('nothing is inconsistent')
  const more = others.length > 0 ? ` (and ${others.length} more)` : ''
  return {
    reason: `${first.asset} was built from another version of ${first.input} than would be published${more}`,
    hint: `cellmill run ${first.input}+   builds both; --allow-mixed publishes as it is, and marks the release`,
  }
}

export interface ConsistencyRequest {
  readonly view: PlanView
  readonly graph: Graph
  /** Asset to pointer, as the environment would be. */
  readonly pointers: ReadonlyMap<string, PointerRecord>
  /** Digest with which `step` reads `input` of this snapshot; null when it cannot be known. */
  readonly digestOf: (step: string, argument: string, snapshotId: string) => Promise<string | null>
}

export async function inconsistencies(request: ConsistencyRequest): Promise<readonly Inconsistency[]> {
  const found: Inconsistency[] = []
  for (const [asset, pointer] of request.pointers) {
    const step = request.graph.producerOf.get(asset)
    const recorded = request.view.recipe(pointer.fingerprint)
    // An asset that left the project has no reader of its own here; its snapshot is served as it is.
    if (step === undefined || recorded === null) continue
    for (const input of recorded.inputs) {
      if (input.snapshotId === null || input.argument === 'after_random') continue
      const target = step.inputs.find(({ argument }) => argument === input.argument)?.target?.name ?? input.name
      const upstream = request.pointers.get(target)
      if (upstream === undefined) found.push({ asset, input: target })
      else if (upstream.snapshotId !== input.snapshotId) {
        const digest = await request.digestOf(step.id, input.argument, upstream.snapshotId)
        if (digest !== input.digest) found.push({ asset, input: target })
      }
    }
  }
  return found
}

/** The largest consistent part of a move: what does not fit is taken back, with all that was built on it. */
export async function largestConsistent(
  request: Omit<ConsistencyRequest, 'pointers'>,
  before: ReadonlyMap<string, PointerRecord>,
  wanted: ReadonlyMap<string, PointerRecord>,
): Promise<ReadonlyMap<string, PointerRecord>> {
  const pointers = new Map(wanted)
  for (;;) {
    const found = await inconsistencies({ ...request, pointers })
    const moved = (asset: string): boolean => pointers.get(asset)?.snapshotId !== before.get(asset)?.snapshotId
    const taken = found.flatMap(({ asset, input }) => [asset, input].filter(moved))
    if (taken.length === 0) return pointers
    for (const asset of taken) {
      const old = before.get(asset)
      if (old === undefined) pointers.delete(asset)
      else pointers.set(asset, old)
    }
  }
}

export interface LaterPublish {
  readonly view: PlanView
  /** Asset to pointer, as the environment would be. */
  readonly pointers: ReadonlyMap<string, PointerRecord>
  /** Assets whose pointers come from the run; what it read of each other fits by construction. */
  readonly fromRun: ReadonlySet<string>
}

/**
 * The same question for a run that ended earlier, from what was recorded alone: its code may not be the project's any more.
 * Snapshots of one content are one version; a reader of some columns only is not told from a reader of all.
 */
export function inconsistenciesOfRun({ view, pointers, fromRun }: LaterPublish): readonly Inconsistency[] {
  const found: Inconsistency[] = []
  for (const [asset, pointer] of pointers) {
    for (const input of view.recipe(pointer.fingerprint)?.inputs ?? []) {
      if (input.snapshotId === null || (fromRun.has(asset) && fromRun.has(input.name))) continue
      const upstream = pointers.get(input.name)
      const same = upstream !== undefined && isSameContent(view, upstream.snapshotId, input.snapshotId)
      if (!same) found.push({ asset, input: input.name })
    }
  }
  return found
}

function isSameContent(view: PlanView, a: string, b: string): boolean {
  if (a === b) return true
  const [one, other] = [view.snapshot(a), view.snapshot(b)]
  if (one === null || other === null || one.kind !== other.kind || one.codec !== other.codec) return false
  return canonicalJson(contentOf(one)) === canonicalJson(contentOf(other))
}

function contentOf({ digests, metadataDigest, globals }: SnapshotRecord): Json {
  return { digests, metadataDigest, globals } as unknown as Json
}
