/** Runs and their steps: how they end, and what is remembered of them. */
import assert from 'node:assert/strict'
import { aRecipe, aStep } from './values.ts'
import { startRun, endRun, lease } from './kit.ts'
import type { CatalogCase } from './kit.ts'

export const runCases: readonly CatalogCase[] = [
  {
    name: 'lists runs newest first, and ends each once',
    run: async ({ catalog, clock }) => {
      const first = await startRun(catalog)
      const second = await startRun(catalog)
      await endRun(catalog, first, clock)
      await catalog.finishRun(first, { state: 'failed', finishedAt: clock.now(), release: 9, counts: {} })
      assert.deepEqual(
        (await catalog.runs(10)).map(({ id, state, release }) => [id, state, release]),
        [
          [second, 'running', null],
          [first, 'succeeded', null],
        ],
      )
      assert.equal((await catalog.runs(1)).length, 1)
      assert.deepEqual((await catalog.run(first))?.parameters, { year: 2026 })
      assert.equal(await catalog.run('nothing'), null)
    },
  },
  {
    name: 'keeps a step as it ended, until a later attempt of one that did not succeed',
    run: async ({ catalog }) => {
      const runId = await startRun(catalog)
      const states = async () => (await catalog.steps(runId)).map(({ state, attempt }) => `${state} ${attempt}`)
      await catalog.saveStep(aStep(runId, 's', { state: 'queued', startedAt: null }))
      await catalog.saveStep(aStep(runId, 's', { state: 'failed', finishedAt: '2026-01-02T03:04:06.000Z' }))
      await catalog.saveStep(aStep(runId, 's', { state: 'cancelled' }))
      assert.deepEqual(await states(), ['failed 1'])
      await catalog.saveStep(aStep(runId, 's', { attempt: 2 }))
      await catalog.saveStep(
        aStep(runId, 's', { attempt: 2, state: 'succeeded', finishedAt: '2026-01-02T03:04:07.500Z', fingerprint: 'f' }),
      )
      await catalog.saveStep(aStep(runId, 's', { attempt: 3, state: 'cancelled' }))
      assert.deepEqual(await states(), ['succeeded 2'])
      assert.deepEqual(catalog.view().lastStep('dev', 's'), { state: 'succeeded', ms: 2500, fingerprint: 'f' })
      assert.equal(catalog.view().lastStep('prod', 's'), null)
    },
  },
  {
    name: 'gives back a step with its recipe, inputs and error, and remembers how long it took when it is reused',
    run: async ({ catalog }) => {
      const runId = await startRun(catalog)
      const step = aStep(runId, 's', {
        state: 'failed',
        recipe: aRecipe('s', 1),
        inputs: [{ argument: 'in0', digest: 'd', snapshotId: 'x', address: null, name: 'raw' }],
        reason: { kind: 'code', detail: 's changed', because: [] },
        error: { kind: 'exception', type: 'ValueError', message: 'no', frames: [], inputs: [], hint: null },
        logPath: 'logs/1',
        finishedAt: '2026-01-02T03:04:06.000Z',
      })
      await catalog.saveStep(step)
      assert.deepEqual(await catalog.steps(runId), [step])
      const times = { startedAt: '2026-01-02T00:00:00.000Z', finishedAt: '2026-01-02T00:00:09.000Z' }
      await catalog.saveSteps([
        aStep(runId, 'a', { state: 'succeeded', ...times }),
        aStep(runId, 'b', { state: 'skipped', ...times }),
      ])
      const next = await startRun(catalog)
      await catalog.saveSteps([aStep(next, 'a', { state: 'reused', ...times })])
      assert.deepEqual(catalog.view().lastStep('dev', 'a'), { state: 'reused', ms: 9000, fingerprint: null })
      assert.equal(catalog.view().lastStep('dev', 'b'), null)
    },
  },
  {
    name: 'recovers runs whose process is gone: ends them, their steps and their claims',
    run: async ({ catalog }) => {
      const dead = await startRun(catalog, { pid: 100 })
      const alive = await startRun(catalog, { pid: 200 })
      await catalog.saveSteps([aStep(dead, 'a'), aStep(dead, 'b', { state: 'queued' }), aStep(alive, 'a')])
      await catalog.claim('f', dead, lease)
      await catalog.claim('g', `${dead}:2`, lease)
      await catalog.claim('h', alive, lease)
      assert.deepEqual(
        [...catalog.view().runningPids()].sort((a, b) => a - b),
        [100, 200],
      )
      assert.deepEqual(await catalog.recover((pid) => pid === 200), [dead])
      assert.deepEqual(catalog.view().runningPids(), [200])
      assert.deepEqual(await catalog.recover((pid) => pid === 200), [])
      assert.equal((await catalog.run(dead))?.state, 'failed')
      assert.equal((await catalog.run(alive))?.state, 'running')
      assert.deepEqual(
        (await catalog.steps(dead)).map((step) => step.state),
        ['failed', 'cancelled'],
      )
      assert.equal((await catalog.claim('f', 'next', lease))?.epoch, 2)
      assert.equal((await catalog.claim('g', 'next', lease))?.epoch, 2)
      assert.equal(await catalog.claim('h', 'next', lease), null)
      assert.deepEqual(await catalog.inspect(), [])
    },
  },
]
