/** The code of a release as one blob: configuration, assets, modules and locks, by content. Equal code has one address. */
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Store } from '../store/store.ts'

export async function storeCodeBundle(store: Store, root: string, files: readonly string[]): Promise<string> {
  const staged = await store.stage('bundle')
  try {
    const entries = []
    for (const name of files) {
      const bytes = await readFile(path.join(root, name))
      await mkdir(path.dirname(path.join(staged.path, name)), { recursive: true })
      await writeFile(path.join(staged.path, name), bytes)
      entries.push({ name, sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length })
    }
    const blob = await store.commit(staged, entries)
    return blob.address
  } catch (error) {
    await store.discard(staged)
    throw error
  }
}
