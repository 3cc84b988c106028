/**
 * Enters a made-up result for every step of a project into its catalog, published, as if all had run: plans of thousands
 * of assets are measured without as many processes. The project's own plan checks it: all must be reused.
 */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { openWorkspace } from '@cellmill/core/app.ts'
import { aRun, aSnapshot } from '@cellmill/core/catalog/contract/values.ts'
import type { RunStepInput } from '@cellmill/core/catalog/catalog.ts'
import { sha256 } from '@cellmill/core/canonical.ts'
import { createId } from '@cellmill/core/ids.ts'
import { fingerprintOf, recipeDigest } from '@cellmill/core/model/recipe.ts'
import type { SnapshotRecord } from '@cellmill/core/model/snapshot.ts'
import { planProject } from '@cellmill/core/operations/plan-project.ts'
import type { PlanOptions } from '@cellmill/core/operations/plan-project.ts'
import { inputDigest } from '@cellmill/core/plan/input-digest.ts'
import type { Store } from '@cellmill/core/store/store.ts'

const options: PlanOptions = {
  environment: null,
  select: [],
  parameters: new Map(),
  rebuild: false,
  offline: false,
  runTime: null,
}

export async function enterResults(root: string): Promise<void> {
  const workspace = openWorkspace({ folder: root, variables: process.env })
  try {
    const catalog = await workspace.catalog()
    const planned = await planProject(workspace, options)
    const environment = planned.environment.name
    const address = await storeBlob(await workspace.store())
    const runId = createId(workspace.clock.now(), Math.random)
    await catalog.insertRun(aRun({ id: runId, environment, pid: process.pid }))
    const snapshots = new Map<string, SnapshotRecord>()
    const pointers = []
    for (const row of planned.plan.steps) {
      const { definition, recipe } = planned.plan.work[row.step]!
      const inputs = definition.inputs.map((input): RunStepInput => {
        const snapshot = snapshots.get(input.target!.name)!
        const digest = inputDigest(planned.digests, definition, input, snapshot)!
        return { argument: input.argument, digest, snapshotId: snapshot.id, address: null, name: input.target!.name }
      })
      const digests = inputs.map(({ digest }) => digest)
      const fingerprint = fingerprintOf(recipe, digests)
      const id = createId(workspace.clock.now(), Math.random)
      const bytes = { kind: 'object', codec: 'pickle', digests: { bytes: sha256(fingerprint) }, globals: [] } as const
      const snapshot = aSnapshot(fingerprint, runId, {
        ...bytes,
        id,
        address,
        rows: null,
        columns: null,
        profile: null,
      })
      const claim = await catalog.claim(fingerprint, runId, 60_000)
      const result = { fingerprint, recipeDigest: recipeDigest(recipe), snapshots: [snapshot] }
      await catalog.commit({ claim: claim!, runId, step: row.step, attempt: 1, recipe, inputs, result })
      const asset = row.assets[0]!
      snapshots.set(asset, snapshot)
      pointers.push({ asset, snapshotId: id, fingerprint, step: row.step })
    }
    await catalog.publish({
      environment,
      expectedRelease: 0,
      hold: 'keep',
      release: {
        runId,
        author: 'bench',
        message: '',
        gitCommit: null,
        codeBundle: address,
        packages: {},
        parameters: {},
        sources: {},
        cause: 'run',
        restores: null,
        mixed: false,
        pointers,
      },
    })
  } finally {
    await workspace.close()
  }
}

/** The bytes that stand for all results. */
async function storeBlob(store: Store): Promise<string> {
  const staged = await store.stage('output')
  writeFileSync(path.join(staged.path, 'data.pickle'), 'bench')
  const blob = await store.commit(staged, [{ name: 'data.pickle', sha256: sha256('bench'), sizeBytes: 5 }])
  return blob.address
}

/** Throws unless all steps are reused but for `changed`. */
export async function checkPlan(root: string, changed: number): Promise<void> {
  const workspace = openWorkspace({ folder: root, variables: process.env })
  try {
    const { plan } = await planProject(workspace, options)
    const builds = plan.steps.filter(({ action }) => action !== 'reuse').length
    if (builds !== changed) throw new Error(`the plan has ${builds} steps to do, not ${changed}`)
  } finally {
    await workspace.close()
  }
}
