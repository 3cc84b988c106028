/** Publishing: whole environments, conflicts, holds. */
import assert from 'node:assert/strict'
import { aPublish } from './values.ts'
import { build, startRun, refuses } from './kit.ts'
import type { CatalogCase } from './kit.ts'

export const releaseCases: readonly CatalogCase[] = [
  {
    name: 'publishes whole environments, keeps every release, and forgets no number',
    run: async ({ catalog }) => {
      const runId = await startRun(catalog)
      const a = (await build(catalog, runId, 'a')).snapshot
      const b = (await build(catalog, runId, 'b')).snapshot
      const c = (await build(catalog, runId, 'c')).snapshot
      assert.equal((await catalog.publish(aPublish('prod', 0, { a, b }))).number, 1)
      assert.equal((await catalog.publish(aPublish('prod', 1, { a, c }))).number, 2)
      assert.equal((await catalog.publish(aPublish('prod', 2, { a: b, b }))).number, 3)
      const assets = async (number: number) =>
        (await catalog.releaseAt('prod', number))?.pointers.map(({ asset, snapshotId }) => [asset, snapshotId])
      assert.deepEqual(await assets(1), [
        ['a', a.id],
        ['b', b.id],
      ])
      assert.deepEqual(await assets(2), [
        ['a', a.id],
        ['c', c.id],
      ])
      assert.deepEqual(await assets(3), [
        ['a', b.id],
        ['b', b.id],
      ])
      assert.deepEqual(
        [...catalog.view().pointers('prod').values()].map(({ asset, snapshotId }) => [asset, snapshotId]),
        await assets(3),
      )
      assert.deepEqual(
        (await catalog.releases('prod', 2)).map(({ number }) => number),
        [3, 2],
      )
      assert.equal(await catalog.pruneReleases('prod', 2), 1)
      assert.equal(await catalog.releaseAt('prod', 1), null)
      assert.deepEqual(await assets(2), [
        ['a', a.id],
        ['c', c.id],
      ])
      assert.equal(await catalog.pruneReleases('prod', 0), 1)
      assert.deepEqual(await assets(3), [
        ['a', b.id],
        ['b', b.id],
      ])
      assert.equal((await catalog.publish(aPublish('prod', 3, {}))).number, 4)
      assert.deepEqual(await catalog.inspect(), [])
    },
  },
  {
    name: 'refuses to publish over a release that the plan did not see, or a snapshot that is gone',
    run: async ({ catalog }) => {
      const { snapshot } = await build(catalog, await startRun(catalog), 'a')
      await catalog.publish(aPublish('prod', 0, { a: snapshot }))
      await refuses(catalog.publish(aPublish('prod', 0, { a: snapshot })), 'PUBLISH_CONFLICT')
      const gone = { ...snapshot, id: 'gone' }
      await refuses(catalog.publish(aPublish('prod', 1, { a: snapshot, b: gone })), 'PUBLISH_REFUSED')
      assert.equal(catalog.view().environment('prod').release, 1)
      assert.equal((await catalog.releases('prod', 10)).length, 1)
    },
  },
  {
    name: 'holds an environment: runs are refused until it is unheld or the hold is cleared by another bundle',
    run: async ({ catalog, clock }) => {
      const bundle = 'b'.repeat(64)
      const rollback = aPublish('prod', 0, {})
      await catalog.publish({
        ...rollback,
        hold: { bundle },
        release: { ...rollback.release, cause: 'rollback' },
      })
      const held = { name: 'prod', release: 1, releasedAt: clock.now(), held: true, heldBundle: bundle }
      assert.deepEqual(catalog.view().environment('prod'), held)
      await refuses(catalog.publish(aPublish('prod', 1, {})), 'ENVIRONMENT_HELD')
      assert.equal((await catalog.publish({ ...aPublish('prod', 1, {}), hold: 'clear' })).number, 2)
      assert.equal(catalog.view().environment('prod').held, false)
      await catalog.setHold('prod', true, null)
      await refuses(catalog.publish(aPublish('prod', 2, {})), 'ENVIRONMENT_HELD')
      await catalog.setHold('prod', false, null)
      await catalog.publish(aPublish('prod', 2, {}))
      await catalog.setHold('dev', true, null)
      assert.deepEqual(
        (await catalog.environments()).map(({ name, release, held: isHeld }) => [name, release, isHeld]),
        [
          ['dev', 0, true],
          ['prod', 3, false],
        ],
      )
    },
  },
]
