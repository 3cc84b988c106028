/**
 * Files that others expect at a path of the project: put there again at each publish, whether built or reused, under a
 * temporary name and renamed. The path was checked at discovery to stay inside the project.
 */
import { copyFile, cp, lstat, mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { CellmillError } from '../errors.ts'
import type { SnapshotRecord } from '../model/snapshot.ts'
import { dataEntries } from './resolve-inputs.ts'
import type { RunContext } from './run-context.ts'

export async function exportFiles(
  context: RunContext,
  snapshots: ReadonlyMap<string, SnapshotRecord>,
): Promise<readonly string[]> {
  const exported: string[] = []
  for (const step of context.graph.order) {
    const target = step.options.export
    const snapshot = target === null ? undefined : snapshots.get(step.outputs[0]?.asset ?? '')
    if (target === null || snapshot === undefined || snapshot.kind !== 'file') continue
    await exportFile(context, snapshot, target)
    exported.push(target)
  }
  return exported
}

async function exportFile(context: RunContext, snapshot: SnapshotRecord, target: string): Promise<void> {
  const root = context.project.root
  const file = path.resolve(root, target)
  if (!file.startsWith(`${root}${path.sep}`)) {
    throw new CellmillError('USAGE', `export names ${target}, which is outside the project`, {
      hint: "export='out/NAME'",
    })
  }
  const folder = await context.store.localPath(snapshot.address)
  const entries = dataEntries(await context.store.manifest(snapshot.address))
  const temporary = `${file}.${context.runId}.tmp`
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
