/**
 * Files that others expect at a path of the project: put there again at each publish, whether built or reused, under a
 * temporary name and renamed. The path was checked at discovery to stay inside the project.
 */
import { copyFile, cp, lstat, mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { CellmillError } from '../errors.ts'
import type { SnapshotRecord } from '../model/snapshot.ts'
import type { StepDefinition } from '../model/project.ts'
import type { Store } from '../store/store.ts'
import { dataEntries } from './resolve-inputs.ts'

export interface Exports {
  /** Of the project. */
  readonly root: string
  readonly store: Store
  readonly steps: readonly StepDefinition[]
  /** What is published now, by asset. */
  readonly snapshots: ReadonlyMap<string, SnapshotRecord>
  /** In the name of the temporary file. */
  readonly tag: string
}

/** Returns the paths that were written, relative to the project. */
export async function exportFiles(exports: Exports): Promise<readonly string[]> {
  const { steps, snapshots } = exports
  const exported: string[] = []
  for (const step of steps) {
    const target = step.options.export
    const snapshot = target === null ? undefined : snapshots.get(step.outputs[0]?.asset ?? '')
    if (target === null || snapshot === undefined || snapshot.kind !== 'file') continue
    await exportFile(exports, snapshot, target)
    exported.push(target)
  }
  return exported
}

async function exportFile(exports: Exports, snapshot: SnapshotRecord, target: string): Promise<void> {
  const { root, store } = exports
  const file = path.resolve(root, target)
  if (!file.startsWith(`${root}${path.sep}`)) {
    throw new CellmillError('USAGE', `export names ${target}, which is outside the project`, {
      hint: "export='out/NAME'",
    })
  }
  const folder = await store.localPath(snapshot.address)
  const entries = dataEntries(await store.manifest(snapshot.address))
  const temporary = `${file}.${exports.tag}.tmp`
  await mkdir(path.dirname(file), { recursive: true })
  try {
    if (entries.length === 1) await copyFile(path.join(folder, entries[0]!), temporary)
    else await cp(folder, temporary, { recursive: true })
    const there = await lstat(file).catch(() => null)
    if (there?.isDirectory() === true) await rm(file, { recursive: true })
    await rename(temporary, file)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}
