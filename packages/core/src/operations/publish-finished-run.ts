/**
 * Publishing what a run built that was kept back: by `--no-publish`, by a hold, or for another environment. The same tests
 * guard it as the end of a run: the checks as they are now defined, and a consistent whole. Nothing is computed.
 */
import type { PointerRecord, ReleaseRecord, RunRecord } from '../catalog/catalog.ts'
import { CellmillError } from '../errors.ts'
import { authorName } from '../project/git.ts'
import { describeInconsistencies, inconsistenciesOfRun } from '../run/consistency.ts'
import { movedAssets } from '../run/moved-assets.ts'
import { findRun } from './find-run.ts'
import { environmentName } from './find-snapshot.ts'
import { exportMoved } from './moved.ts'
import type { Moved } from './moved.ts'
import { planProject, validGraph } from './plan-project.ts'
import type { Workspace } from './workspace.ts'

export interface PublishOptions {
  readonly run: string
  readonly environment: string | null
  readonly message: string
  readonly allowMixed: boolean
  readonly dryRun: boolean
}

export async function publishFinishedRun(workspace: Workspace, options: PublishOptions): Promise<Moved> {
  const catalog = await workspace.catalog()
  const run = await findRun(workspace, options.run)
  const environment =
    options.environment === null ? run.environment : await environmentName(workspace, options.environment)
  refuseUnfinished(run)
  const view = catalog.view()
  const before = view.pointers(environment)
  const built = await pointersOf(workspace, run)
  const pointers = new Map([...before, ...built])
  const state = view.environment(environment)
  const moved = movedAssets(before.values(), pointers.values())
  const answer = { environment, from: state.release, moved, held: false, notUndone: [], dryRun: options.dryRun }
  await refuseUnchecked(workspace, environment, built)
  const mixed = inconsistenciesOfRun({ view, pointers, fromRun: new Set(built.keys()) })
  if (mixed.length > 0 && !options.allowMixed) {
    const { reason, hint } = describeInconsistencies(mixed)
    throw new CellmillError('PUBLISH_REFUSED', reason, { hint })
  }
  if (options.dryRun || moved.length === 0) return { ...answer, release: state.release, to: state.release }
  const release = await catalog.publish({
    environment,
    expectedRelease: state.release,
    release: {
      ...releaseOf(run),
      author: authorName(workspace.root, workspace.variables),
      message: options.message,
      mixed: mixed.length > 0,
      pointers: [...pointers.values()].sort((a, b) => (a.asset < b.asset ? -1 : 1)),
    },
    hold: 'clear',
  })
  const left = await exportMoved(workspace, [...pointers.values()], `release-${release.number}`)
  return { ...answer, release: release.number, to: release.number, notUndone: left }
}

function refuseUnfinished(run: RunRecord): void {
  if (run.state === 'succeeded') return
  const how = run.state === 'running' ? 'is still going' : `ended as ${run.state}`
  throw new CellmillError('PUBLISH_REFUSED', `run ${run.id} ${how}, so it cannot be published`, {
    hint: 'cellmill run',
  })
}

async function pointersOf(workspace: Workspace, run: RunRecord): Promise<ReadonlyMap<string, PointerRecord>> {
  const catalog = await workspace.catalog()
  const view = catalog.view()
  const pointers = new Map<string, PointerRecord>()
  for (const step of await catalog.steps(run.id)) {
    if (step.kind !== 'asset' && step.kind !== 'report') continue
    const result = step.fingerprint === null ? null : view.result(step.fingerprint)
    for (const [i, asset] of step.assets.entries()) {
      const snapshot = result?.snapshots[i]
      if (snapshot === undefined)
        throw new CellmillError('PUBLISH_REFUSED', `the result of '${step.step}' is gone`, { hint: 'cellmill run' })
      pointers.set(asset, { asset, snapshotId: snapshot.id, fingerprint: snapshot.fingerprint, step: step.step })
    }
  }
  return pointers
}

/** Checks that were added or edited since have no verdict yet. Assets whose own code changed since keep the run's verdicts. */
async function refuseUnchecked(
  workspace: Workspace,
  environment: string,
  built: ReadonlyMap<string, PointerRecord>,
): Promise<void> {
  const graph = validGraph(await workspace.project())
  const inProject = [...built.keys()].filter((asset) => graph.producerOf.has(asset))
  if (inProject.length === 0) return
  const { plan } = await planProject(workspace, {
    environment,
    select: inProject,
    parameters: new Map(),
    rebuild: false,
    offline: true,
    runTime: null,
  })
  const view = await workspace.view()
  const current = new Set(plan.steps.map(({ fingerprint }) => fingerprint))
  for (const row of plan.steps) {
    const check = row.kind === 'check' ? plan.work[row.step]!.definition.check! : null
    if (check === null || check.severity !== 'error' || !current.has(built.get(check.asset)?.fingerprint ?? ''))
      continue
    const verdict = row.fingerprint === null ? null : view.verdict(row.fingerprint)
    if (verdict?.passed === true) continue
    const why = verdict === null ? 'was not made yet' : `failed: ${verdict.message}`
    throw new CellmillError('PUBLISH_REFUSED', `the check ${row.step} of ${check.asset} ${why}`, {
      hint: 'cellmill run',
    })
  }
}

function releaseOf(
  run: RunRecord,
): Omit<ReleaseRecord, 'number' | 'environment' | 'createdAt' | 'author' | 'message' | 'mixed' | 'pointers'> {
  const { id, gitCommit, codeBundle, packages, parameters, sources } = run
  return { runId: id, gitCommit, codeBundle, packages, parameters, sources, cause: 'run', restores: null }
}
