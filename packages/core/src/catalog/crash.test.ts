/** Real processes, killed or paused at each named point between a step's bytes and their place in the catalog. */
import { execFile, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import type { CrashPoint } from '../crash-points.ts'
import { openLocalStore } from '../store/local/local-store.ts'
import { stageFiles } from '../store/contract.ts'
import type { Store } from '../store/store.ts'
import { collectGarbage } from './collect-garbage.ts'
import { fingerprintFor } from './contract/values.ts'
import { openSqliteCatalog } from './sqlite/open-catalog.ts'
import { verifyState } from './verify-state.ts'

let state: string

/** A state with one published result, made once and copied. */
let made: string

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'cellmill-crash-'))
  made = state
  expect((await run([state, 'before', 'publish'])).lines).toHaveLength(2)
})

afterAll(() => rmSync(made, { recursive: true, force: true }))

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'cellmill-crash-'))
  cpSync(made, state, { recursive: true, preserveTimestamps: true })
})

afterEach(() => rmSync(state, { recursive: true, force: true }))

interface Ended {
  readonly signal: string | null
  readonly code: number | null
  readonly lines: readonly string[]
  readonly stderr: string
}

function program(name: string): string {
  return fileURLToPath(new URL(`testing/${name}.ts`, import.meta.url))
}

function run(args: readonly string[], crashAt?: string, name = 'commit-one'): Promise<Ended> {
  const env = crashAt === undefined ? process.env : { ...process.env, CELLMILL_CRASH_AT: crashAt }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--no-warnings', program(name), ...args], { env }, (_, stdout, stderr) =>
      resolve({ signal: child.signalCode, code: child.exitCode, lines: stdout.split('\n').filter(Boolean), stderr }),
    )
  })
}

async function open() {
  const store = await openLocalStore({ root: join(state, 'store'), clock: systemClock })
  const file = join(state, 'catalog.sqlite')
  const hasBlob = (address: string) => store.has(address)
  return { store, catalog: await openSqliteCatalog({ file, storeId: store.id, clock: systemClock, hasBlob }) }
}

async function expectWhole() {
  const { store, catalog } = await open()
  expect(await verifyState({ catalog, store })).toMatchObject({ problems: [], blobs: [], nonReproducible: [] })
  return { store, catalog }
}

/** `kept`: whether the result must be there after the crash. */
const commitPoints: readonly (readonly [string, boolean])[] = [
  ['store.before-stage', false],
  ['store.before-fsync', false],
  ['store.mid-fsync', false],
  ['store.mid-fsync#2', false],
  ['store.after-fsync', false],
  ['store.before-rename', false],
  ['store.after-rename', false],
  ['store.after-folder-fsync', false],
  ['catalog.before-commit', false],
  ['catalog.mid-commit', false],
  ['catalog.after-commit', true],
] satisfies readonly (readonly [CrashPoint | `${CrashPoint}#2`, boolean])[]

describe('a process killed while it commits', () => {
  test.each(commitPoints)('at %s leaves nothing half-done, and a retry succeeds', async (point, kept) => {
    const killed = await run([state, 'model'], point)
    expect(killed.signal).toBe('SIGKILL')
    expect(killed.lines).toEqual([])
    const { catalog, store } = await expectWhole()
    expect(catalog.view().result(fingerprintFor('before'))).not.toBeNull()
    expect(catalog.view().result(fingerprintFor('model')) !== null).toBe(kept)
    await catalog.recover(() => false)
    await catalog.close()
    const retried = await run([state, 'model'])
    expect(retried.stderr).toBe('')
    expect(retried.lines).toHaveLength(kept ? 0 : 1)
    const after = await expectWhole()
    expect(after.catalog.view().result(fingerprintFor('model'))?.snapshots).toHaveLength(1)
    expect((await after.catalog.addresses()).size).toBe(2)
    expect((await store.sweep(-60_000)).length).toBe(stagedAt(point) ? 1 : 0)
    await after.catalog.close()
  })

  test.each(['catalog.before-publish', 'catalog.mid-publish', 'catalog.after-publish'] satisfies readonly CrashPoint[])(
    'at %s moves all pointers or none',
    async (point) => {
      const killed = await run([state, 'two', 'publish'], point)
      expect(killed.signal).toBe('SIGKILL')
      const { catalog } = await expectWhole()
      const published = point === 'catalog.after-publish'
      expect(catalog.view().environment('prod').release).toBe(published ? 2 : 1)
      expect([...catalog.view().pointers('prod').keys()]).toEqual([published ? 'two' : 'before'])
      await catalog.close()
      expect((await run([state, 'two', 'publish'])).lines).toEqual([`published ${published ? 3 : 2}`])
      await (await expectWhole()).catalog.close()
    },
  )

  test.each([
    'gc.before-forget',
    'gc.mid-forget',
    'gc.after-forget',
    'gc.mid-remove',
    'gc.after-remove',
  ] satisfies readonly CrashPoint[])(
    'at %s of a collection leaves no dangling reference, and the next one finishes',
    async (point) => {
      const killed = await run([state, 'free', 'gc'], point)
      expect(killed.signal).toBe('SIGKILL')
      await (await expectWhole()).catalog.close()
      expect((await run([state, 'free', 'gc'])).lines.at(-1)).toBe('collected')
      const { catalog, store } = await expectWhole()
      const left = await listed(store)
      expect(left).toEqual([...(await catalog.addresses())])
      expect(left).toHaveLength(1)
      expect(catalog.view().pointers('prod').has('before')).toBe(true)
      await catalog.close()
    },
  )
})

async function listed(store: Store): Promise<readonly string[]> {
  const addresses: string[] = []
  for await (const address of store.list()) addresses.push(address)
  return addresses
}

function stagedAt(point: string): boolean {
  return /^store\.(before-fsync|mid-fsync|after-fsync|before-rename)/.test(point)
}

test('a paused process that wakes up after its claim was taken over can commit nothing', async () => {
  const env = { ...process.env, CELLMILL_PAUSE_AT: 'catalog.before-commit' }
  const paused = spawn(process.execPath, ['--no-warnings', program('commit-one'), state, 'model'], { env })
  let output = ''
  paused.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const { catalog, store } = await open()
  const fingerprint = fingerprintFor('model')
  await expect.poll(() => stoppedState(paused.pid!), { timeout: 20_000 }).toBe('T')
  const claimed = await catalog.claimState(fingerprint)
  expect(claimed?.epoch).toBe(1)
  await catalog.recover((pid) => pid !== paused.pid)
  const claim = await catalog.claim(fingerprint, 'other', 30_000)
  expect(claim?.epoch).toBe(2)
  const ended = new Promise((resolve) => paused.on('close', resolve))
  paused.kill('SIGCONT')
  await ended
  expect(output).toMatch(/^stale /)
  expect(catalog.view().result(fingerprint)).toBeNull()
  expect(await catalog.heartbeat([claim!])).toEqual([true])
  expect(await verifyState({ catalog, store })).toMatchObject({ problems: [], blobs: [] })
  await catalog.close()
})

/** `T` for a stopped process; the field after the command in parentheses. */
function stoppedState(pid: number): string {
  return existsSync(`/proc/${pid}/stat`)
    ? (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] ?? '')
    : 'gone'
}

test('bytes that a commit uses again are not collected under it', async () => {
  await run([state, 'model'])
  const { catalog, store } = await open()
  const fingerprint = fingerprintFor('model')
  await catalog.supersede(fingerprint)
  const { staged, entries } = await stageFiles(store, { 'data.parquet': 'model one', 'more/data.parquet': 'model two' })
  const collecting = { catalog, store, clock: systemClock, keepReleases: null, keepUnpublishedMs: -1000 }
  const { address } = await store.commit(staged, entries)
  expect(await collectGarbage({ ...collecting, graceMs: 3_600_000 })).toMatchObject({ snapshots: 1, blobs: 0 })
  expect(await store.has(address)).toBe(true)
  expect(await collectGarbage({ ...collecting, graceMs: -1000, dryRun: true })).toMatchObject({ blobs: 1 })
  expect(await store.has(address)).toBe(true)
  expect(await collectGarbage({ ...collecting, graceMs: -1000 })).toMatchObject({ blobs: 1, freedBytes: 18 })
  expect(await store.has(address)).toBe(false)
  await catalog.close()
})

test('a damaged result is found, kept as evidence, and made again by the next run', async () => {
  await run([state, 'model'])
  const first = await open()
  const address = first.catalog.view().result(fingerprintFor('model'))!.snapshots[0]!.address
  rmSync(join(await first.store.localPath(address), 'data.parquet'))
  const found = await verifyState({ ...first, repair: true })
  expect(found.blobs).toMatchObject([{ address, state: 'corrupt', detail: 'data.parquet is missing' }])
  expect(first.catalog.view().result(fingerprintFor('model'))).toBeNull()
  await first.catalog.close()
  expect((await run([state, 'model'])).lines).toHaveLength(1)
  await (await expectWhole()).catalog.close()
})

test('four processes on one catalog build each fingerprint once', async () => {
  const count = 150
  const file = join(state, 'new.sqlite')
  const ended = await Promise.all([1, 2, 3, 4].map(() => run([file, String(count), '4'], undefined, 'build-all')))
  expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual(ended.map(() => [0, '']))
  const built = ended.flatMap(({ lines }) => lines)
  expect(built).toHaveLength(count)
  expect(new Set(built).size).toBe(count)
  expect(ended.filter(({ lines }) => lines.length > 0).length).toBeGreaterThan(1)
  const catalog = await openSqliteCatalog({ file, storeId: 'store', clock: systemClock })
  expect(await catalog.inspect()).toEqual([])
  await catalog.close()
})
