/**
 * Takes the copies of sources that a run reads: each source once, and only when its version moved or its copy is gone.
 * Steps read nothing but these copies.
 */
import type { SourceObservation } from '../catalog/catalog.ts'
import { captureSource } from '../sources/capture-source.ts'
import type { Observed } from '../sources/observe-source.ts'
import type { RunContext } from './run-context.ts'

export async function captureSources(
  context: RunContext,
  names: ReadonlySet<string>,
): Promise<ReadonlyMap<string, SourceObservation>> {
  const captures = new Map<string, SourceObservation>()
  const view = context.catalog.view()
  for (const name of [...names].sort()) {
    context.signal.throwIfAborted()
    const observed = context.observed.get(name)!
    const last = view.observation(observed.binding)
    captures.set(name, (await unchanged(context, observed, last)) ?? (await capture(context, observed, last)))
  }
  return captures
}

async function unchanged(
  context: RunContext,
  observed: Observed,
  last: SourceObservation | null,
): Promise<SourceObservation | null> {
  if (last === null || observed.contentDigest === null || last.contentDigest !== observed.contentDigest) return null
  if (last.address === null || !(await context.store.has(last.address))) return null
  return last
}

async function capture(
  context: RunContext,
  observed: Observed,
  last: SourceObservation | null,
): Promise<SourceObservation> {
  const taken = await captureSource(
    {
      root: context.project.root,
      store: context.store,
      now: () => context.clock.now(),
      runSqliteQuery: context.captureSqlite,
      signal: context.signal,
    },
    observed,
  )
  await context.catalog.saveObservation(taken)
  context.emit({
    type: 'source-captured',
    at: context.clock.now(),
    runId: context.runId,
    source: taken.source,
    sizeBytes: taken.sizeBytes,
    changed: last?.contentDigest !== taken.contentDigest,
  })
  return taken
}
