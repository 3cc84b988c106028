/**
 * A process that stores bytes and commits them, for tests that kill it on the way. Acknowledges on stdout what is
 * committed. Arguments: state folder, what to build, then `publish`, `gc` or nothing.
 */
import { join } from 'node:path'
import { systemClock } from '../../clock.ts'
import { openLocalStore } from '../../store/local/local-store.ts'
import { stageFiles } from '../../store/contract.ts'
import { collectGarbage } from '../collect-garbage.ts'
import { aCommit, aPublish, aRun, aSnapshot, aStep, fingerprintFor } from '../contract/values.ts'
import { newId } from '../../store/local/store-layout.ts'
import { openSqliteCatalog } from '../sqlite/open-catalog.ts'

const [, , state = '', code = '', also = ''] = process.argv
const clock = systemClock
const store = await openLocalStore({ root: join(state, 'store'), clock })
const catalog = await openSqliteCatalog({
  file: join(state, 'catalog.sqlite'),
  storeId: store.id,
  clock,
  hasBlob: (address) => store.has(address),
})
await catalog.recover(() => false)
const runId = newId(clock.now())
await catalog.insertRun(aRun({ id: runId, startedAt: clock.now(), pid: process.pid }))
await catalog.saveStep(aStep(runId, code, { startedAt: clock.now() }))
const fingerprint = fingerprintFor(code)
let snapshot = catalog.view().result(fingerprint)?.snapshots[0] ?? null
if (snapshot === null) {
  const claim = await catalog.claim(fingerprint, runId, 30_000)
  if (claim === null) throw new Error('claimed by another')
  const { staged, entries } = await stageFiles(store, {
    'data.parquet': `${code} one`,
    'more/data.parquet': `${code} two`,
  })
  const { address } = await store.commit(staged, entries)
  snapshot = aSnapshot(fingerprint, runId, { id: newId(clock.now()), address })
  const outcome = await catalog.commit(aCommit({ runId, code, claim, snapshots: [snapshot] }))
  process.stdout.write(`${outcome} ${snapshot.id}\n`)
}
if (also === 'publish') {
  const { release } = catalog.view().environment('prod')
  await catalog.publish(aPublish('prod', release, { [code]: snapshot }))
  process.stdout.write(`published ${release + 1}\n`)
}
await catalog.finishRun(runId, { state: 'succeeded', finishedAt: clock.now(), release: null, counts: {} })
if (also === 'gc') {
  await collectGarbage({ catalog, store, clock, keepReleases: 1, keepUnpublishedMs: -1000, graceMs: -1000 })
  process.stdout.write('collected\n')
}
await catalog.close()
