/**
 * Publishing a finished run, rolling back and holding: pointers move, nothing is computed, and nothing is deleted. Each
 * answers with what moved and how to undo it.
 */
import type { PointerRecord, ReleaseRecord } from '../catalog/catalog.ts'
import { CellmillError } from '../errors.ts'
import { authorName } from '../project/git.ts'
import { environmentName } from './find-snapshot.ts'
import { findRun } from './find-run.ts'
import type { Workspace } from './workspace.ts'

export interface Moved {
  readonly environment: string
  readonly from: number
  readonly release: number
  /** Release whose pointers these are; equal to `release` for a publish. */
  readonly to: number
  readonly moved: readonly string[]
  readonly held: boolean
  /** What a change of pointers cannot take back. */
  readonly notUndone: readonly string[]
  readonly dryRun: boolean
}

export interface RollbackOptions {
  readonly environment: string | null
  /** Null for the release before the current one. */
  readonly to: number | null
  readonly dryRun: boolean
}

export async function rollback(workspace: Workspace, options: RollbackOptions): Promise<Moved> {
  const environment = await environmentName(workspace, options.environment)
  const catalog = await workspace.catalog()
  const state = catalog.view().environment(environment)
  const to = options.to ?? (await previousOf(workspace, environment, state.release))
  const target = to < 1 ? null : await catalog.releaseAt(environment, to)
  if (target === null || to === state.release) {
    throw new CellmillError('UNKNOWN_NAME', noRelease(environment, state.release, to), {
      hint: `cellmill status --env ${environment}   shows its releases`,
    })
  }
  const current = await catalog.releaseAt(environment, state.release)
  const moved = changed(current?.pointers ?? [], target.pointers)
  const notUndone = await effectsSince(workspace, environment, to)
  const answer = { environment, from: state.release, to, moved, held: true, notUndone, dryRun: options.dryRun }
  if (options.dryRun) return { ...answer, release: state.release }
  const release = await catalog.publish({
    environment,
    expectedRelease: state.release,
    release: {
      ...target,
      runId: null,
      author: authorName(workspace.root, workspace.variables),
      message: `back to release ${to}`,
      cause: 'rollback',
    },
    hold: { bundle: current?.codeBundle ?? null },
  })
  return { ...answer, release: release.number }
}

function noRelease(environment: string, current: number, to: number): string {
  if (current === 0) return `nothing was published to ${environment} yet`
  return to < 1 || to === current
    ? `${environment} is at release ${current}, and there is none before it to go back to`
    : `${environment} has no release ${to}`
}

/** Rolling back twice goes back twice: a release made by a rollback stands for the one whose pointers it took. */
async function previousOf(workspace: Workspace, environment: string, current: number): Promise<number> {
  const releases = await (await workspace.catalog()).releases(environment, 1000)
  const byNumber = new Map(releases.map((release) => [release.number, release]))
  let standing = current
  for (let record = byNumber.get(standing); record?.cause === 'rollback'; record = byNumber.get(standing)) {
    standing = Number(record.message.replace(/\D+/g, ''))
  }
  for (let number = standing - 1; number >= 1; number--) {
    if (byNumber.get(number)?.cause !== 'rollback') return number
  }
  return 0
}

function changed(before: readonly PointerRecord[], after: readonly PointerRecord[]): readonly string[] {
  const was = new Map(before.map((pointer) => [pointer.asset, pointer.snapshotId]))
  const is = new Map(after.map((pointer) => [pointer.asset, pointer.snapshotId]))
  return [...new Set([...was.keys(), ...is.keys()])].filter((asset) => was.get(asset) !== is.get(asset)).sort()
}

async function effectsSince(workspace: Workspace, environment: string, release: number): Promise<readonly string[]> {
  const catalog = await workspace.catalog()
  const done = new Set<string>()
  for (const { number, runId } of await catalog.releases(environment, 1000)) {
    if (number <= release || runId === null) continue
    for (const step of await catalog.steps(runId))
      if (step.kind === 'effect' && step.state === 'succeeded') done.add(step.step)
  }
  return [...done].sort()
}

export interface HoldOptions {
  readonly environment: string | null
  readonly held: boolean
}

export async function holdEnvironment(
  workspace: Workspace,
  options: HoldOptions,
): Promise<{ readonly environment: string; readonly held: boolean }> {
  const environment = await environmentName(workspace, options.environment)
  await (await workspace.catalog()).setHold(environment, options.held, null)
  return { environment, held: options.held }
}

export interface PublishOptions {
  readonly run: string
  readonly environment: string | null
  readonly message: string
  readonly dryRun: boolean
}

/** Publishes what a succeeded run built, when it was run with `--no-publish` or into a held environment. */
export async function publishFinishedRun(workspace: Workspace, options: PublishOptions): Promise<Moved> {
  const catalog = await workspace.catalog()
  const run = await findRun(workspace, options.run)
  const environment =
    options.environment === null ? run.environment : await environmentName(workspace, options.environment)
  if (run.state !== 'succeeded') {
    throw new CellmillError(
      'PUBLISH_REFUSED',
      `run ${run.id} ${run.state === 'running' ? 'is still going' : `ended as ${run.state}`}, so it cannot be published`,
      {
        hint: 'cellmill run',
      },
    )
  }
  const view = catalog.view()
  const before = view.pointers(environment)
  const pointers = new Map<string, PointerRecord>(before)
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
  const state = view.environment(environment)
  const moved = changed([...before.values()], [...pointers.values()])
  const answer = { environment, from: state.release, moved, held: false, notUndone: [], dryRun: options.dryRun }
  if (options.dryRun || moved.length === 0) return { ...answer, release: state.release, to: state.release }
  const release = await catalog.publish({
    environment,
    expectedRelease: state.release,
    release: {
      ...(await baseRelease(workspace, environment, state.release)),
      runId: run.id,
      message: options.message,
      codeBundle: run.codeBundle,
      gitCommit: run.gitCommit,
      cause: 'run',
      pointers: [...pointers.values()],
    },
    hold: 'clear',
  })
  return { ...answer, release: release.number, to: release.number }
}

async function baseRelease(
  workspace: Workspace,
  environment: string,
  number: number,
): Promise<Omit<ReleaseRecord, 'number' | 'environment' | 'createdAt'>> {
  const base = number === 0 ? null : await (await workspace.catalog()).releaseAt(environment, number)
  return {
    runId: null,
    author: authorName(workspace.root, workspace.variables),
    message: '',
    gitCommit: null,
    codeBundle: null,
    packages: base?.packages ?? {},
    parameters: base?.parameters ?? {},
    sources: base?.sources ?? {},
    cause: 'run',
    mixed: false,
    pointers: [],
  }
}
