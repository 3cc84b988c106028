/** What every store keeps, as cases that an adapter's test runs one by one, each on a new store. */
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { isCellmillError } from '../errors.ts'
import type { ErrorCode } from '../error-codes.ts'
import { sha256 } from '../canonical.ts'
import type { ManifestEntry, StagedFolder, Store } from './store.ts'

export interface StoreUnderTest {
  readonly store: Store
  /** Another opening of the same store, as another process has it. */
  readonly reopen: () => Promise<Store>
}

export interface StoreCase {
  readonly name: string
  readonly run: (under: StoreUnderTest) => Promise<void>
}

/** Writes files into a new staged folder; the entries are theirs. */
export async function stageFiles(
  store: Store,
  files: Readonly<Record<string, string>>,
): Promise<{ readonly staged: StagedFolder; readonly entries: readonly ManifestEntry[] }> {
  const staged = await store.stage('test')
  const entries: ManifestEntry[] = []
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(staged.path, name)), { recursive: true })
    await writeFile(path.join(staged.path, name), text)
    entries.push({ name, sha256: sha256(text), sizeBytes: Buffer.byteLength(text) })
  }
  return { staged, entries }
}

export async function commitFiles(store: Store, files: Readonly<Record<string, string>>): Promise<string> {
  const { staged, entries } = await stageFiles(store, files)
  return (await store.commit(staged, entries)).address
}

export async function refuses(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(work, (error) => isCellmillError(error, code))
}

async function listed(store: Store): Promise<readonly string[]> {
  const addresses: string[] = []
  for await (const address of store.list()) addresses.push(address)
  return addresses
}

export const storeContract: readonly StoreCase[] = [
  {
    name: 'shows nothing of a staged folder until it is committed, and all of it after',
    run: async ({ store, reopen }) => {
      const { staged, entries } = await stageFiles(store, { 'b.txt': 'two', 'a/c.txt': 'one' })
      assert.deepEqual(await listed(store), [])
      const blob = await store.commit(staged, entries)
      const lines = `a/c.txt ${sha256('one')} 3\nb.txt ${sha256('two')} 3\n`
      assert.equal(blob.address, sha256(lines))
      assert.equal(blob.sizeBytes, 6)
      for (const other of [store, await reopen()]) {
        assert.equal(other.id, store.id)
        assert.equal(await other.has(blob.address), true)
        assert.deepEqual(await listed(other), [blob.address])
        assert.deepEqual(await other.manifest(blob.address), blob.entries)
        assert.deepEqual(
          blob.entries.map((entry) => entry.name),
          ['a/c.txt', 'b.txt'],
        )
        assert.equal(await readFile(path.join(await other.localPath(blob.address), 'a/c.txt'), 'utf8'), 'one')
        assert.equal((await other.verify(blob.address)).state, 'ok')
      }
    },
  },
  {
    name: 'has one place for equal bytes, also when two commit them at once',
    run: async ({ store, reopen }) => {
      const other = await reopen()
      const first = await commitFiles(store, { data: 'same' })
      assert.equal(await commitFiles(other, { data: 'same' }), first)
      assert.notEqual(await commitFiles(store, { other: 'same' }), first)
      const many = await Promise.all([store, other, store, other].map((each) => commitFiles(each, { data: 'race' })))
      assert.equal(new Set(many).size, 1)
      assert.equal((await store.verify(many[0]!)).state, 'ok')
      assert.equal((await listed(store)).length, 3)
      assert.deepEqual(await store.sweep(0), [])
      assert.deepEqual(await other.sweep(0), [])
    },
  },
  {
    name: 'commits empty files, and a folder with none',
    run: async ({ store }) => {
      const empty = await commitFiles(store, { data: '' })
      const none = await commitFiles(store, {})
      assert.equal(none, sha256(''))
      assert.deepEqual(await store.manifest(none), [])
      assert.equal(await commitFiles(store, {}), none)
      for (const address of [empty, none]) assert.equal((await store.verify(address)).state, 'ok')
    },
  },
  {
    name: 'refuses names that are not plain paths below the folder',
    run: async ({ store }) => {
      const hostile = ['', '.', '..', '../x', 'a/../../x', '/etc/x', 'a//b', 'a/', 'c:x', 'a\\b', 'a\0b', 'a\nb']
      const long = [
        'x'.repeat(256),
        'é'.repeat(128),
        Array(40).fill('d').join('/'),
        Array(9).fill('d'.repeat(120)).join('/'),
      ]
      const names = [...hostile, ...long, 'a\u0085b', 'a\u2028b', '\ud800', '\ufffd']
      for (const name of names) {
        const { staged } = await stageFiles(store, { data: 'x' })
        const entries = [
          { name: 'data', sha256: sha256('x'), sizeBytes: 1 },
          { name, sha256: sha256('x'), sizeBytes: 1 },
        ]
        await refuses(store.commit(staged, entries), 'STORE_REFUSED')
        await store.discard(staged)
      }
      assert.deepEqual(await listed(store), [])
      const unusual = { 'ü – 日本 (1).csv': 'x', '.hidden': 'y', CON: 'z', '-rf': 'w' }
      assert.equal((await store.manifest(await commitFiles(store, unusual))).length, 4)
    },
  },
  {
    name: 'refuses a folder that holds more, less or other than was digested',
    run: async ({ store }) => {
      const entry = { name: 'data', sha256: sha256('x'), sizeBytes: 1 }
      const cases: readonly (readonly [Record<string, string>, readonly ManifestEntry[]])[] = [
        [{ data: 'x', more: 'y' }, [entry]],
        [{ data: 'x', 'sub/more': 'y' }, [entry]],
        [{}, [entry]],
        [{ data: 'xx' }, [entry]],
        [{ data: 'x' }, [entry, entry]],
        [{ data: 'x' }, [{ ...entry, sha256: 'abc' }]],
        [{ 'data/x': 'x' }, [entry]],
      ]
      for (const [files, entries] of cases) {
        const { staged } = await stageFiles(store, files)
        await refuses(store.commit(staged, entries), 'STORE_REFUSED')
        await store.discard(staged)
      }
      assert.deepEqual(await listed(store), [])
    },
  },
  {
    name: 'commits a staged folder once, and one of its own only',
    run: async ({ store }) => {
      const { staged, entries } = await stageFiles(store, { data: 'x' })
      await store.commit(staged, entries)
      await refuses(store.commit(staged, entries), 'INTERNAL')
      await refuses(store.commit({ id: 'x', path: '/tmp' }, entries), 'INTERNAL')
      await refuses(store.discard({ id: staged.id, path: '/tmp' }), 'INTERNAL')
    },
  },
  {
    name: 'takes addresses only, and says what is missing',
    run: async ({ store }) => {
      const missing = 'a'.repeat(64)
      assert.equal(await store.has(missing), false)
      assert.equal((await store.verify(missing)).state, 'missing')
      assert.equal(await store.ageMs(missing), null)
      await refuses(store.localPath(missing), 'STORE_CORRUPT')
      await refuses(store.manifest(missing), 'STORE_CORRUPT')
      await store.remove(missing)
      await store.quarantine(missing)
      for (const address of ['../../etc', '', 'A'.repeat(64), `${'a'.repeat(64)}/x`]) {
        await refuses(store.localPath(address), 'INTERNAL')
        await refuses(store.remove(address), 'INTERNAL')
      }
    },
  },
  {
    name: 'removes and quarantines a blob at once, and stores the same bytes again after',
    run: async ({ store, reopen }) => {
      const address = await commitFiles(store, { data: 'x' })
      const kept = await commitFiles(store, { data: 'y' })
      assert.ok((await store.ageMs(address)) !== null)
      await store.remove(address)
      assert.equal(await (await reopen()).has(address), false)
      assert.deepEqual(await listed(store), [kept])
      assert.equal((await store.sweep(1e9)).length, 1)
      assert.equal(await commitFiles(store, { data: 'x' }), address)
      await store.quarantine(address)
      assert.equal(await store.has(address), false)
      assert.equal(await commitFiles(store, { data: 'x' }), address)
      assert.equal((await store.verify(address)).state, 'ok')
    },
  },
  {
    name: 'sweeps what others staged and left behind, and never what it staged itself',
    run: async ({ store, reopen }) => {
      const mine = await stageFiles(store, { data: 'x' })
      await stageFiles(await reopen(), { data: 'y' })
      assert.deepEqual(await store.sweep(3_600_000), [])
      assert.equal((await store.sweep(-3_600_000)).length, 1)
      assert.equal((await store.commit(mine.staged, mine.entries)).sizeBytes, 1)
    },
  },
]
