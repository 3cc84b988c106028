/** Who may build a fingerprint: one owner at a time, by heartbeat and epoch. */
import assert from 'node:assert/strict'
import { aCommit, fingerprintFor } from './values.ts'
import { startRun, lease } from './kit.ts'
import type { CatalogCase } from './kit.ts'

export const claimCases: readonly CatalogCase[] = [
  {
    name: 'gives a fingerprint to one owner at a time, and a higher epoch to the next',
    run: async ({ catalog }) => {
      const first = await catalog.claim('f', 'run-a', lease)
      assert.deepEqual(first, { fingerprint: 'f', owner: 'run-a', epoch: 1 })
      assert.equal(await catalog.claim('f', 'run-b', lease), null)
      assert.equal(await catalog.claim('f', 'run-a', lease), null)
      await catalog.release(first)
      assert.equal(await catalog.claimState('f'), null)
      assert.equal((await catalog.claim('f', 'run-b', lease))?.epoch, 2)
      assert.equal((await catalog.claimState('f'))?.owner, 'run-b')
    },
  },
  {
    name: 'lets a claim be taken over once its heartbeat is older than the lease, and not before',
    run: async ({ catalog, clock }) => {
      const first = await catalog.claim('f', 'a', lease)
      assert.ok(first)
      clock.advance(lease - 1)
      assert.deepEqual(await catalog.heartbeat([first]), [true])
      clock.advance(lease)
      assert.equal(await catalog.claim('f', 'b', lease), null)
      clock.advance(1)
      assert.equal((await catalog.claim('f', 'b', lease))?.epoch, 2)
      assert.deepEqual(await catalog.heartbeat([first]), [false])
    },
  },
  {
    name: 'lets a claim be taken over when the clock was moved back past its heartbeat',
    run: async ({ catalog, clock }) => {
      await catalog.claim('f', 'a', lease)
      clock.advance(-10 * 24 * 3600 * 1000)
      assert.equal((await catalog.claim('f', 'b', lease))?.epoch, 2)
    },
  },
  {
    name: 'lets a superseded attempt change nothing',
    run: async ({ catalog, clock }) => {
      const runId = await startRun(catalog)
      const fingerprint = fingerprintFor('late')
      const late = await catalog.claim(fingerprint, runId, lease)
      assert.ok(late)
      clock.advance(lease + 1)
      const other = await catalog.claim(fingerprint, 'other', lease)
      assert.ok(other)
      assert.equal(await catalog.commit(aCommit({ runId, code: 'late', claim: late })), 'stale')
      await catalog.release(late)
      assert.equal((await catalog.claimState(fingerprint))?.owner, 'other')
      assert.equal(catalog.view().result(fingerprint), null)
    },
  },
]
