/** What every catalog keeps, as cases that an adapter's test runs one by one, each on a new catalog. */
import assert from 'node:assert/strict'
import { isCellmillError } from '../errors.ts'
import type { ErrorCode } from '../error-codes.ts'
import type { SnapshotRecord } from '../model/snapshot.ts'
import type { Catalog } from './catalog.ts'
import { aCommit, aPublish, aRecipe, aRun, aSnapshot, aStep, fingerprintFor } from './contract-values.ts'
import type { SetClock } from './contract-values.ts'
import { recipeDigest } from '../model/recipe.ts'

export interface CatalogUnderTest {
  readonly catalog: Catalog
  readonly clock: SetClock
  /** Addresses that the store is said to have lost. */
  readonly lost: Set<string>
}

export interface CatalogCase {
  readonly name: string
  readonly run: (under: CatalogUnderTest) => Promise<void>
}

const lease = 30_000

/** Claims, builds and commits what `code` makes. */
async function build(catalog: Catalog, runId: string, code: string, patch: Partial<SnapshotRecord> = {}) {
  const fingerprint = fingerprintFor(code)
  const claim = await catalog.claim(fingerprint, runId, lease)
  assert.ok(claim, `claim on ${code}`)
  const snapshot = aSnapshot(fingerprint, runId, patch)
  const request = aCommit({ runId, code, claim, snapshots: [snapshot] })
  assert.equal(await catalog.commit(request), 'committed')
  return { fingerprint, snapshot, request }
}

async function startRun(catalog: Catalog, patch: Parameters<typeof aRun>[0] = {}): Promise<string> {
  const run = aRun(patch)
  await catalog.insertRun(run)
  return run.id
}

async function endRun(catalog: Catalog, id: string, clock: SetClock): Promise<void> {
  await catalog.finishRun(id, { state: 'succeeded', finishedAt: clock.now(), release: null, counts: {} })
}

async function refuses(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(work, (error) => isCellmillError(error, code))
}

const claimCases: readonly CatalogCase[] = [
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

const commitCases: readonly CatalogCase[] = [
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

const runCases: readonly CatalogCase[] = [
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

const releaseCases: readonly CatalogCase[] = [
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

const retentionCases: readonly CatalogCase[] = [
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

export const catalogContract: readonly CatalogCase[] = [
  ...claimCases,
  ...commitCases,
  ...runCases,
  ...releaseCases,
  ...retentionCases,
]
