import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { copyTree } from './copy-tree.ts'

let base = ''
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'cellmill-copy-'))
})
afterEach(() => rm(base, { recursive: true, force: true }))

async function put(path: string, text: string): Promise<void> {
  await mkdir(join(base, path, '..'), { recursive: true })
  await writeFile(join(base, path), text)
}

test('copies files and leaves out version control, state, packages and environments', async () => {
  await put('p/data/a.csv', 'a')
  await put('p/.git/HEAD', 'x')
  await put('p/.cellmill/catalog.sqlite', 'x')
  await put('p/node_modules/m/index.js', 'x')
  await put('p/my-env/pyvenv.cfg', 'home = /usr')
  await put('p/.hidden', 'kept')
  const copied = await copyTree(join(base, 'p'), join(base, 'q'))
  expect((await readdir(join(base, 'q'), { recursive: true })).sort()).toEqual(['.hidden', 'data', 'data/a.csv'])
  expect(copied).toMatchObject({ files: 2, skipped: [] })
})

test('links inside stay links, linked files from outside are copied, folders and pipes outside are said to be skipped', async () => {
  await put('p/a.txt', 'inside')
  await put('outside/secret/x.txt', 'x')
  await put('outside/data.csv', 'data')
  await symlink('a.txt', join(base, 'p', 'same'))
  await symlink(join(base, 'outside', 'secret'), join(base, 'p', 'folder'))
  await symlink(join(base, 'outside', 'data.csv'), join(base, 'p', 'data.csv'))
  await symlink('nowhere', join(base, 'p', 'broken'))
  execFileSync('mkfifo', [join(base, 'p', 'pipe')])
  const copied = await copyTree(join(base, 'p'), join(base, 'q'))
  await writeFile(join(base, 'q', 'same'), 'changed')
  await writeFile(join(base, 'q', 'data.csv'), 'changed')
  expect(await readFile(join(base, 'q', 'a.txt'), 'utf8')).toBe('changed')
  expect(await readFile(join(base, 'p', 'a.txt'), 'utf8')).toBe('inside')
  expect(await readFile(join(base, 'outside', 'data.csv'), 'utf8')).toBe('data')
  expect(copied.skipped.map(({ path }) => path).sort()).toEqual(['broken', 'folder', 'pipe'])
})

test('refuses a tree over its limits', async () => {
  await put('p/a', 'xxxx')
  await put('p/b', 'xxxx')
  const limits = { maxFiles: 10, maxBytes: 5 }
  await expect(copyTree(join(base, 'p'), join(base, 'q'), limits)).rejects.toMatchObject({ code: 'NOTEBOOK_REFUSED' })
})
