/** The store's contract on a local disk, and what only a disk brings: links, modes, damage, full and read-only disks. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sha256 } from '../../canonical.ts'
import { systemClock } from '../../clock.ts'
import { commitFiles, stageFiles, storeContract } from '../contract.ts'
import type { Store } from '../store.ts'
import { openLocalStore } from './local-store.ts'

let root: string
let store: Store
const open = (folder = root) => openLocalStore({ root: folder, clock: systemClock })

beforeEach(async () => {
  root = fs.mkdtempSync(join(tmpdir(), 'cellmill-store-'))
  store = await open()
})

afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

describe('the store on a local disk', () => {
  for (const { name, run } of storeContract) test(name, () => run({ store, reopen: () => open() }))

  test('makes committed files read-only, without the set-user-id bits that a step gave them', async () => {
    const { staged, entries } = await stageFiles(store, { data: 'x', 'sub/closed': 'y' })
    fs.chmodSync(join(staged.path, 'data'), 0o6777)
    fs.chmodSync(join(staged.path, 'sub/closed'), 0)
    fs.chmodSync(join(staged.path, 'sub'), 0)
    const { address } = await store.commit(staged, entries)
    const folder = await store.localPath(address)
    for (const name of ['data', 'sub/closed']) expect(fs.statSync(join(folder, name)).mode & 0o7777).toBe(0o444)
  })

  test.each<[string, (file: string) => void]>([
    ['a symbolic link', (file) => fs.symlinkSync('/etc/passwd', file)],
    ['a hard link', (file) => fs.linkSync(join(root, 'id'), file)],
    ['a FIFO', (file) => execFileSync('mkfifo', [file])],
    [
      'a socket',
      (file) =>
        execFileSync('python3', ['-c', 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])', file]),
    ],
    ['a folder', (file) => fs.mkdirSync(file)],
  ])('refuses %s under a digested name, and beside one', async (_, make) => {
    const { staged } = await stageFiles(store, {})
    make(join(staged.path, 'data'))
    const entry = (name: string) => ({
      name,
      sha256: sha256(''),
      sizeBytes: fs.lstatSync(join(staged.path, 'data')).size,
    })
    await expect(store.commit(staged, [entry('data')])).rejects.toMatchObject({ code: 'STORE_REFUSED' })
    fs.writeFileSync(join(staged.path, 'ok'), '')
    await expect(store.commit(staged, [{ ...entry('ok'), sizeBytes: 0 }])).rejects.toMatchObject({
      code: 'STORE_REFUSED',
    })
    await store.discard(staged)
  })

  test('refuses a device', async ({ skip }) => {
    const { staged } = await stageFiles(store, {})
    try {
      execFileSync('mknod', [join(staged.path, 'data'), 'c', '1', '5'], { stdio: 'ignore' })
    } catch {
      skip('making device files is not permitted here')
    }
    const entries = [{ name: 'data', sha256: sha256(''), sizeBytes: 0 }]
    await expect(store.commit(staged, entries)).rejects.toMatchObject({ code: 'STORE_REFUSED' })
  })

  test('does not read through a symbolic link to a folder', async () => {
    const { staged } = await stageFiles(store, {})
    fs.symlinkSync('/etc', join(staged.path, 'd'))
    const entries = [{ name: 'd/hostname', sha256: sha256(''), sizeBytes: fs.statSync('/etc/hostname').size }]
    await expect(store.commit(staged, entries)).rejects.toMatchObject({ code: 'STORE_REFUSED' })
  })
})

describe('a blob that was damaged', () => {
  const damages: readonly (readonly [string, (file: string) => void])[] = [
    ['one bit flipped', (file) => rewrite(file, (bytes) => void (bytes[10]! ^= 1))],
    ['cut short', (file) => fs.truncateSync(file, 5)],
    ['made longer', (file) => fs.appendFileSync(file, 'x')],
    ['filled with zeros', (file) => rewrite(file, (bytes) => void bytes.fill(0))],
    ['emptied', (file) => fs.truncateSync(file, 0)],
    ['deleted', fs.rmSync],
    ['replaced by a link', (file) => replaceByLink(file)],
  ]

  test.each(damages)(
    'is found and never given out when it was %s, and is replaced by the next commit',
    async (_, damage) => {
      const text = 'a'.repeat(100)
      const address = await commitFiles(store, { data: text })
      const file = join(await store.localPath(address), 'data')
      fs.chmodSync(file, 0o644)
      damage(file)
      expect(await store.verify(address)).toMatchObject({ state: 'corrupt' })
      await expect(store.localPath(address)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
      expect(await commitFiles(store, { data: text })).toBe(address)
      expect(await store.verify(address)).toMatchObject({ state: 'ok' })
      const kept = fs.readdirSync(join(root, 'quarantine'))
      expect(kept.filter((name) => name.startsWith(address))).toHaveLength(damage === fs.rmSync ? 0 : 2)
    },
  )

  test('is found when two blobs were swapped', async () => {
    const [a, b] = [await commitFiles(store, { data: 'aa' }), await commitFiles(store, { data: 'bb' })]
    const place = (address: string) => join(root, 'blobs', address.slice(0, 2), address)
    fs.renameSync(place(a), join(root, 'tmp', 'swap'))
    fs.renameSync(place(b), place(a))
    fs.renameSync(join(root, 'tmp', 'swap'), place(b))
    for (const address of [a, b]) expect(await store.verify(address)).toMatchObject({ state: 'corrupt' })
    await expect(store.localPath(a)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })

  test('is found when its bytes changed and its size and time did not, by verify', async () => {
    const address = await commitFiles(store, { data: 'aaaa' })
    const file = join(await store.localPath(address), 'data')
    const { atime, mtime } = fs.statSync(file)
    fs.writeFileSync(file, 'bbbb')
    fs.utimesSync(file, atime, mtime)
    expect(await store.verify(address)).toMatchObject({ state: 'corrupt' })
  })

  test('is found when a file was added to it', async () => {
    const address = await commitFiles(store, { data: 'a' })
    fs.writeFileSync(join(await store.localPath(address), 'more'), '')
    expect(await store.verify(address)).toMatchObject({ state: 'corrupt', detail: 'more does not belong there' })
  })
})

test('reads a restored backup again, and then trusts its new inodes', async () => {
  const address = await commitFiles(store, { data: 'x', 'sub/more': 'y' })
  const copy = join(root, 'copy')
  execFileSync('cp', ['-r', root, `${root}-copy`])
  fs.renameSync(`${root}-copy`, copy)
  const restored = await open(copy)
  expect(restored.id).toBe(store.id)
  expect(fs.readFileSync(join(await restored.localPath(address), 'data'), 'utf8')).toBe('x')
  expect(await restored.verify(address)).toMatchObject({ state: 'ok' })
})

test('makes a lost or damaged manifest again from the bytes', async () => {
  const address = await commitFiles(store, { data: 'x', 'sub/more': 'y' })
  const manifest = join(root, 'manifests', address.slice(0, 2), `${address}.json`)
  for (const spoil of [
    () => fs.rmSync(manifest),
    () => fs.writeFileSync(manifest, ''),
    () => fs.writeFileSync(manifest, '{"entries":[["../x",1,2,3,4]]}'),
  ]) {
    spoil()
    expect((await store.manifest(address)).map((entry) => entry.name)).toEqual(['data', 'sub/more'])
    expect(fs.readFileSync(manifest, 'utf8')).toContain('sub/more')
  }
})

test('keeps its identity, and refuses to guess a lost one', async () => {
  expect((await open()).id).toBe(store.id)
  const together = join(root, 'together')
  expect(new Set((await Promise.all([1, 2, 3, 4].map(() => open(together)))).map(({ id }) => id)).size).toBe(1)
  await commitFiles(store, { data: 'x' })
  fs.rmSync(join(root, 'id'))
  await expect(open()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
})

describe('a disk that fails', () => {
  test('says that it is full, keeps what was stored, and works again when there is space', async ({ skip }) => {
    const disk = mountExt4() ?? skip('mounting a small disk is not permitted here')
    try {
      const small = await open(join(disk, 'store'))
      const kept = await commitFiles(small, { data: 'x' })
      const filler = join(disk, 'filler')
      fillDisk(filler)
      await expect(commitUntilFull(small)).rejects.toMatchObject({ code: 'DISK_FULL', retryable: true })
      expect(await small.verify(kept)).toMatchObject({ state: 'ok' })
      expect((await small.manifest(kept)).length).toBe(1)
      fs.rmSync(filler)
      expect(await small.has(await commitFiles(small, { data: 'y' }))).toBe(true)
    } finally {
      execFileSync('umount', [disk])
    }
  })

  test('says that it has no more inodes as that it is full', async ({ skip }) => {
    const disk = mountTmpfs('size=2m,nr_inodes=24') ?? skip('mounting a small disk is not permitted here')
    try {
      const small = await open(join(disk, 'store'))
      const kept = await commitFiles(small, { data: 'x' })
      await expect(fillInodes(small)).rejects.toMatchObject({ code: 'DISK_FULL' })
      expect(await small.verify(kept)).toMatchObject({ state: 'ok' })
    } finally {
      execFileSync('umount', [disk])
    }
  })

  test('is refused for writing and still read when it became read-only', async ({ skip }) => {
    const disk = mountTmpfs('size=2m') ?? skip('mounting a small disk is not permitted here')
    try {
      const small = await open(join(disk, 'store'))
      const kept = await commitFiles(small, { data: 'x' })
      execFileSync('mount', ['-o', 'remount,ro', disk])
      await expect(small.stage('x')).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' })
      expect(fs.readFileSync(join(await small.localPath(kept), 'data'), 'utf8')).toBe('x')
    } finally {
      execFileSync('umount', [disk])
    }
  })

  test('is refused when the parts of the store lie on different disks', async ({ skip }) => {
    const disk = mountTmpfs('size=2m') ?? skip('mounting a small disk is not permitted here')
    try {
      fs.rmSync(join(root, 'tmp'), { recursive: true })
      fs.symlinkSync(disk, join(root, 'tmp'))
      await expect(open()).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' })
    } finally {
      execFileSync('umount', [disk])
    }
  })
})

function rewrite(file: string, change: (bytes: Buffer) => void): void {
  const bytes = fs.readFileSync(file)
  change(bytes)
  fs.writeFileSync(file, bytes)
}

function replaceByLink(file: string): void {
  fs.renameSync(file, join(root, 'elsewhere'))
  fs.symlinkSync(join(root, 'elsewhere'), file)
}

/** Null where mounting is not permitted. */
function mountTmpfs(options: string): string | null {
  const disk = join(root, `disk-${options.replaceAll(/\W/g, '')}`)
  fs.mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', disk], { stdio: 'ignore' })
    return disk
  } catch {
    return null
  }
}

function mountExt4(): string | null {
  const image = join(root, 'disk.img')
  const disk = join(root, 'disk-ext4')
  fs.mkdirSync(disk)
  try {
    fs.writeFileSync(image, '')
    fs.truncateSync(image, 4 * 1024 * 1024)
    execFileSync('mkfs.ext4', ['-q', '-F', image], { stdio: 'ignore' })
    execFileSync('mount', ['-o', 'loop', image, disk], { stdio: 'ignore' })
    return disk
  } catch {
    return null
  }
}

function fillDisk(file: string): void {
  const block = randomBytes(4096)
  try {
    for (;;) fs.appendFileSync(file, block)
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' })
  }
}

/** Folders take blocks too; there are none left. */
async function commitUntilFull(small: Store): Promise<void> {
  for (let i = 0; i < 20; i++) await small.stage('x')
}

async function fillInodes(small: Store): Promise<void> {
  for (let i = 0; i < 40; i++) await small.stage('x')
}
