/**
 * Where things lie in a store's folder, and the making of it:
 *   id                        the store's identity; a catalog belongs to one store
 *   blobs/ab/<address>/       the bytes, as engines read them
 *   manifests/ab/<address>    names, digests, and what the files looked like; made anew from the bytes when lost
 *   tmp/                      staged folders, and removed blobs until they are swept
 *   quarantine/               corrupt blobs, kept as evidence
 */
import { randomInt } from 'node:crypto'
import { link, mkdir, open, readFile, readdir, realpath, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { CellmillError } from '../../errors.ts'
import { createId, isId } from '../../ids.ts'
import { syncFolder } from './seal-folder.ts'

export interface StoreLayout {
  readonly id: string
  /** Without symbolic links, so that what is bound into a sandbox has one path. */
  readonly root: string
  readonly tmp: string
  readonly quarantine: string
}

export function blobPath(layout: StoreLayout, address: string): string {
  return path.join(layout.root, 'blobs', address.slice(0, 2), address)
}

export function manifestPath(layout: StoreLayout, address: string): string {
  return path.join(layout.root, 'manifests', address.slice(0, 2), `${address}.json`)
}

export function newId(now: string): string {
  return createId(now, () => randomInt(2 ** 32) / 2 ** 32)
}

export async function openLayout(folder: string, now: string): Promise<StoreLayout> {
  await mkdir(folder, { recursive: true })
  const root = await realpath(folder)
  const parts = ['blobs', 'manifests', 'tmp', 'quarantine'].map((name) => path.join(root, name))
  for (const part of parts) await mkdir(part, { recursive: true })
  const devices = await Promise.all(parts.map(async (part) => (await stat(part)).dev))
  if (new Set(devices).size > 1) {
    throw new CellmillError('STATE_UNAVAILABLE', `the folders of the store lie on different disks: ${root}`, {
      hint: 'mount the whole store folder, not its parts: files are renamed between them',
      details: { root },
    })
  }
  return {
    root,
    id: (await readId(root)) ?? (await makeId(root, now)),
    tmp: path.join(root, 'tmp'),
    quarantine: path.join(root, 'quarantine'),
  }
}

async function readId(root: string): Promise<string | null> {
  try {
    const id = (await readFile(path.join(root, 'id'), 'utf8')).trim()
    if (isId(id)) return id
    throw lostIdentity(root)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Linked under its name when it is whole; of two processes the first one's identity stays. */
async function makeId(root: string, now: string): Promise<string> {
  if ((await readdir(path.join(root, 'blobs'))).length > 0) throw lostIdentity(root)
  const id = newId(now)
  const draft = path.join(root, 'tmp', `${id}.id`)
  const file = await open(draft, 'wx', 0o444)
  try {
    await file.writeFile(`${id}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await link(draft, path.join(root, 'id'))
    await syncFolder(root)
    return id
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return (await readId(root)) ?? id
  } finally {
    await rm(draft, { force: true })
  }
}

function lostIdentity(root: string): CellmillError {
  return new CellmillError('STORE_CORRUPT', `the store has lost its identity: ${path.join(root, 'id')}`, {
    hint: 'restore the file from a backup; the catalog names the same id',
    details: { root },
  })
}
