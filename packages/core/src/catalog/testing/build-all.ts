/**
 * One of several processes that build the same fingerprints at once, for the test of claims. Prints each that it built
 * itself. Starts when all are there. Arguments: catalog file, how many fingerprints, how many processes.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../clock.ts'
import { newId } from '../../store/local/store-layout.ts'
import { aCommit, aRun, aSnapshot, fingerprintFor } from '../contract/values.ts'
import { openSqliteCatalog } from '../sqlite/open-catalog.ts'

const [, , file = '', count = '0', processes = '1'] = process.argv
const catalog = await openSqliteCatalog({ file, storeId: 'store', clock: systemClock })
const runId = newId(systemClock.now())
await catalog.insertRun(aRun({ id: runId }))
while ((await catalog.runs(100)).length < Number(processes)) await sleep(2)
let left = Array.from({ length: Number(count) }, (_, i) => `step-${i}`)
while (left.length > 0) {
  const waiting: string[] = []
  for (const code of left) {
    const fingerprint = fingerprintFor(code)
    const claim = await catalog.claim(fingerprint, runId, 30_000)
    if (claim === null) waiting.push(code)
    else if (catalog.view().result(fingerprint) === null) {
      process.stdout.write(`${code}\n`)
      const snapshots = [aSnapshot(fingerprint, runId, { id: newId(systemClock.now()) })]
      const outcome = await catalog.commit(aCommit({ runId, code, claim, snapshots }))
      if (outcome !== 'committed') throw new Error(`${code} was ${outcome}`)
    } else await catalog.release(claim)
  }
  left = waiting
}
await catalog.close()
