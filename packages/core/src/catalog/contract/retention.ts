/** What may be collected, and what may not. */
import assert from 'node:assert/strict'
import { aPublish } from './values.ts'
import { build, startRun, endRun } from './kit.ts'
import type { CatalogCase } from './kit.ts'

export const retentionCases: readonly CatalogCase[] = [
  {
    name: 'reaches what releases, leases, evidence and running runs refer to, and nothing else',
    run: async ({ catalog, clock }) => {
      const runId = await startRun(catalog)
      const kept = (await build(catalog, runId, 'published')).snapshot
      const leased = (await build(catalog, runId, 'leased')).snapshot
      const evidence = (await build(catalog, runId, 'evidence')).snapshot
      const free = (await build(catalog, runId, 'free')).snapshot
      const unreachable = async () => (await catalog.unreachable()).map((snapshot) => snapshot.id)
      assert.deepEqual(await unreachable(), [])
      await catalog.publish(aPublish('prod', 0, { published: kept }))
      await catalog.publish(aPublish('prod', 1, {}))
      await catalog.saveVerdict({
        fingerprint: 'v',
        check: 'c',
        severity: 'warn',
        passed: false,
        message: '',
        failedRows: 1,
        evidence: evidence.id,
        runId,
        at: clock.now(),
      })
      await endRun(catalog, runId, clock)
      assert.deepEqual(await catalog.lease('later', [leased.id, 'gone']), ['gone'])
      assert.deepEqual(await unreachable(), [free.id])
      assert.deepEqual(await catalog.unreachable({ committedBefore: clock.now() }), [])
      await catalog.endLeases('later')
      assert.deepEqual(await unreachable(), [leased.id, free.id])
      assert.deepEqual(await catalog.forget([free.id, leased.id, kept.id]), [free.address, leased.address])
      assert.equal(catalog.view().snapshot(free.id), null)
      assert.equal(catalog.view().result(free.fingerprint), null)
      assert.notEqual(catalog.view().snapshot(kept.id), null)
      await catalog.pruneReleases('prod', 1)
      assert.deepEqual(await unreachable(), [kept.id])
      assert.deepEqual(await catalog.inspect(), [])
    },
  },
  {
    name: 'rechecks leases when it forgets, and frees an address only when nobody else has it',
    run: async ({ catalog, clock }) => {
      const runId = await startRun(catalog)
      const shared = 'e'.repeat(64)
      const a = (await build(catalog, runId, 'a', { address: shared })).snapshot
      const b = (await build(catalog, runId, 'b', { address: shared })).snapshot
      await endRun(catalog, runId, clock)
      const found = (await catalog.unreachable()).map((snapshot) => snapshot.id)
      assert.deepEqual(found, [a.id, b.id])
      await catalog.lease('planned-meanwhile', [b.id])
      assert.deepEqual(await catalog.forget(found), [])
      assert.equal(catalog.view().snapshot(a.id), null)
      assert.notEqual(catalog.view().snapshot(b.id), null)
      clock.advance(25 * 3600 * 1000)
      assert.deepEqual(await catalog.forget(found), [shared])
    },
  },
  {
    name: 'lets bytes be removed only while nothing refers to them',
    run: async ({ catalog }) => {
      const runId = await startRun(catalog, { codeBundle: 'c'.repeat(64) })
      const { snapshot } = await build(catalog, runId, 'a')
      const removed: string[] = []
      const orphan = 'd'.repeat(64)
      const asked = [snapshot.address, 'c'.repeat(64), orphan]
      const collected = await catalog.collect(asked, async (address) => void removed.push(address))
      assert.deepEqual(collected, [orphan])
      assert.deepEqual(removed, [orphan])
      assert.deepEqual([...(await catalog.addresses())].sort(), ['c'.repeat(64), snapshot.address].sort())
    },
  },
]
