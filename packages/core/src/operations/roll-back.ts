/**
 * Going back to an earlier release: pointers move, nothing is computed, and nothing is deleted. The environment is held
 * afterwards, so that the next scheduled run of the same code does not put back what was taken away.
 */
import type { Catalog, ReleaseHead } from '../catalog/catalog.ts'
import { CellmillError } from '../errors.ts'
import { authorName } from '../project/git.ts'
import { movedAssets } from '../run/moved-assets.ts'
import { environmentName } from './find-snapshot.ts'
import { exportMoved } from './moved.ts'
import type { Moved } from './moved.ts'
import type { Workspace } from './workspace.ts'

/** How many releases are looked through for the one before, and for effects since. */
const searched = 1000

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
  const releases = await catalog.releases(environment, searched)
  const to = options.to ?? previousOf(releases, state.release)
  const target = to < 1 ? null : await catalog.releaseAt(environment, to)
  if (target === null || to === state.release) {
    throw new CellmillError('UNKNOWN_NAME', noRelease(environment, state.release, to), {
      hint: `cellmill status --env ${environment}   shows its releases`,
    })
  }
  const current = await catalog.releaseAt(environment, state.release)
  const moved = movedAssets(current?.pointers ?? [], target.pointers)
  const notUndone = await effectsSince(catalog, releases, to)
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
      restores: to,
    },
    hold: { bundle: current?.codeBundle ?? null },
  })
  const left = await exportMoved(workspace, target.pointers, `release-${release.number}`)
  return { ...answer, release: release.number, notUndone: [...notUndone, ...left] }
}

function noRelease(environment: string, current: number, to: number): string {
  if (current === 0) return `nothing was published to ${environment} yet`
  return to < 1 || to === current
    ? `${environment} is at release ${current}, and there is none before it to go back to`
    : `${environment} has no release ${to}`
}

/** Rolling back twice goes back twice: a release made by a rollback stands for the one whose pointers it took. */
function previousOf(releases: readonly ReleaseHead[], current: number): number {
  const byNumber = new Map(releases.map((release) => [release.number, release]))
  let standing = current
  for (let at = byNumber.get(standing); at !== undefined && at.restores !== null; at = byNumber.get(standing)) {
    standing = at.restores
  }
  for (let number = standing - 1; number >= 1; number--) {
    if (byNumber.get(number)?.restores === null) return number
  }
  return 0
}

async function effectsSince(
  catalog: Catalog,
  releases: readonly ReleaseHead[],
  release: number,
): Promise<readonly string[]> {
  const done = new Set<string>()
  for (const { number, runId } of releases) {
    if (number <= release || runId === null) continue
    for (const step of await catalog.steps(runId))
      if (step.kind === 'effect' && step.state === 'succeeded') done.add(step.step)
  }
  return [...done].sort()
}
