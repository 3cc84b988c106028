/** What a commit leaves, and what is found by a fingerprint afterwards. */
import assert from 'node:assert/strict'
import { recipeDigest } from '../../model/recipe.ts'
import { aCommit, aRecipe, aSnapshot, aStep, fingerprintFor } from './values.ts'
import { build, startRun, refuses, lease } from './kit.ts'
import type { CatalogCase } from './kit.ts'

export const commitCases: readonly CatalogCase[] = [
  {
    name: 'commits all outputs, the inputs, the end of the step and of the claim at once',
    run: async ({ catalog }) => {
      const runId = await startRun(catalog)
      await catalog.saveStep(aStep(runId, 'two'))
      const inputs = [{ argument: 'in0', digest: 'd', snapshotId: null, address: 'a'.repeat(64), name: 'raw' }]
      const fingerprint = fingerprintFor('two', inputs)
      const claim = await catalog.claim(fingerprint, runId, lease)
      assert.ok(claim)
      const snapshots = ['train', 'test'].map((output) => aSnapshot(fingerprint, runId, { output }))
      const request = aCommit({ runId, code: 'two', claim, inputs, snapshots })
      assert.equal(await catalog.commit(request), 'committed')
      const view = catalog.view()
      assert.deepEqual(view.result(fingerprint), request.result)
      assert.deepEqual(view.snapshot(snapshots[1]!.id), snapshots[1])
      assert.deepEqual(view.recipe(fingerprint), { recipe: request.recipe, inputs })
      assert.equal(view.hasRecipe(recipeDigest(request.recipe)), true)
      assert.equal(view.hasRecipe(recipeDigest(aRecipe('other'))), false)
      assert.equal((await catalog.steps(runId))[0]?.state, 'succeeded')
      assert.equal(view.lastStep('dev', 'two')?.fingerprint, fingerprint)
      assert.equal(await catalog.claimState(fingerprint), null)
      assert.deepEqual(await catalog.snapshotsAt(snapshots[0]!.address), snapshots)
    },
  },
  {
    name: 'answers a repeated commit with already, and keeps one result',
    run: async ({ catalog }) => {
      const runId = await startRun(catalog)
      const { request, fingerprint, snapshot } = await build(catalog, runId, 'once')
      assert.equal(await catalog.commit(request), 'already')
      assert.deepEqual(catalog.view().result(fingerprint)?.snapshots, [snapshot])
    },
  },
  {
    name: 'makes a rebuilt result current, and tells that its contents differ',
    run: async ({ catalog }) => {
      const runId = await startRun(catalog)
      const { fingerprint, snapshot } = await build(catalog, runId, 'again')
      const same = await build(catalog, runId, 'again')
      assert.deepEqual(catalog.view().result(fingerprint)?.snapshots, [same.snapshot])
      assert.deepEqual(await catalog.nonReproducible(), [])
      const other = await build(catalog, runId, 'again', { digests: { sequence: 'x', multiset: 'y' } })
      assert.deepEqual(catalog.view().result(fingerprint)?.snapshots, [other.snapshot])
      assert.deepEqual(await catalog.nonReproducible(), [fingerprint])
      assert.deepEqual(catalog.view().snapshot(snapshot.id), snapshot)
    },
  },
  {
    name: 'never finds a result that is not reusable by its fingerprint',
    run: async ({ catalog }) => {
      const runId = await startRun(catalog)
      const because = 'it read /etc/hosts'
      const { fingerprint, snapshot } = await build(catalog, runId, 'peeking', {
        reusable: false,
        notReusableBecause: because,
      })
      assert.equal(catalog.view().result(fingerprint), null)
      assert.equal(catalog.view().snapshot(snapshot.id)?.notReusableBecause, because)
      assert.notEqual(catalog.view().recipe(fingerprint), null)
    },
  },
  {
    name: 'takes a lost snapshot out of reuse with the other outputs of its step',
    run: async ({ catalog }) => {
      const runId = await startRun(catalog)
      const { fingerprint, snapshot } = await build(catalog, runId, 'lost')
      await catalog.invalidate([snapshot.id], 'its bytes are damaged')
      assert.equal(catalog.view().result(fingerprint), null)
      assert.equal(catalog.view().hasRecipe(recipeDigest(aRecipe('lost'))), false)
      assert.equal(catalog.view().snapshot(snapshot.id)?.reusable, false)
      await build(catalog, runId, 'lost')
      assert.notEqual(catalog.view().result(fingerprint), null)
    },
  },
  {
    name: 'ends the reuse of a superseded fingerprint',
    run: async ({ catalog }) => {
      const { fingerprint } = await build(catalog, await startRun(catalog), 'old')
      await catalog.supersede(fingerprint)
      assert.equal(catalog.view().result(fingerprint), null)
    },
  },
  {
    name: 'refuses a commit whose bytes are gone, and changes nothing',
    run: async ({ catalog, lost }) => {
      const runId = await startRun(catalog)
      const fingerprint = fingerprintFor('gone')
      const claim = await catalog.claim(fingerprint, runId, lease)
      assert.ok(claim)
      const request = aCommit({ runId, code: 'gone', claim })
      lost.add(request.result.snapshots[0]!.address)
      await refuses(catalog.commit(request), 'STORE_CORRUPT')
      assert.equal(catalog.view().result(fingerprint), null)
      lost.clear()
      assert.equal(await catalog.commit(request), 'committed')
    },
  },
  {
    name: 'keeps digests of column sets, verdicts and observations, each the last that was written',
    run: async ({ catalog }) => {
      const { snapshot } = await build(catalog, await startRun(catalog), 'table')
      const view = catalog.view()
      await catalog.saveColumnDigest(snapshot.id, 'multiset', '["a"]', 'one')
      await catalog.saveColumnDigest(snapshot.id, 'multiset', '["a"]', 'two')
      assert.equal(view.columnDigest(snapshot.id, 'multiset', '["a"]'), 'two')
      assert.equal(view.columnDigest(snapshot.id, 'sequence', '["a"]'), null)
      await catalog.saveColumnDigest('no-such-snapshot', 'multiset', '*', 'one')
      const verdict = {
        fingerprint: 'v',
        check: 'orders_unique',
        severity: 'error' as const,
        passed: false,
        message: '2 values more than once',
        failedRows: 2,
        evidence: null,
        runId: 'r',
        at: '2026-01-01T00:00:00.000Z',
      }
      await catalog.saveVerdict(verdict)
      await catalog.saveVerdict({ ...verdict, passed: true })
      assert.deepEqual(view.verdict('v'), { ...verdict, passed: true })
      const observation = {
        source: 'raw',
        binding: 'file:raw.csv',
        version: '1',
        contentDigest: 'c',
        address: null,
        sizeBytes: 3_000_000_000,
        observedAt: '2026-01-01T00:00:00.000Z',
      }
      await catalog.saveObservation(observation)
      await catalog.saveObservation({ ...observation, version: '2' })
      assert.deepEqual(view.observation('file:raw.csv'), { ...observation, version: '2' })
    },
  },
]
