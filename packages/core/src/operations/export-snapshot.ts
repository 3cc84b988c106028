/** `export`: one snapshot as a file outside the store. Written beside its target and renamed, never over another file by chance. */
import { existsSync } from 'node:fs'
import { copyFile, cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CellmillError } from '../errors.ts'
import { findSnapshot } from './find-snapshot.ts'
import type { FoundSnapshot, SnapshotQuery } from './find-snapshot.ts'
import { reportPage } from './report-page.ts'
import type { Workspace } from './workspace.ts'

export interface ExportOptions extends SnapshotQuery {
  readonly to: string
  readonly force: boolean
}

export interface Exported {
  readonly asset: string
  readonly environment: string
  readonly file: string
  readonly sizeBytes: number
}

export async function exportSnapshot(workspace: Workspace, options: ExportOptions): Promise<Exported> {
  const found = await findSnapshot(workspace, options)
  const file = path.resolve(options.to)
  if (existsSync(file) && !options.force) {
    throw new CellmillError('FILE_EXISTS', `${options.to} is there already`, {
      hint: 'add --force to replace it, or choose another name',
    })
  }
  await mkdir(path.dirname(file), { recursive: true })
  const temporary = `${file}.${process.pid}.tmp`
  try {
    await writeExport(workspace, found, { file, temporary })
    await rename(temporary, file)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
  return { asset: found.asset, environment: found.environment, file, sizeBytes: found.snapshot.sizeBytes }
}

interface Target {
  readonly file: string
  readonly temporary: string
}

async function writeExport(workspace: Workspace, found: FoundSnapshot, target: Target): Promise<void> {
  const extension = path.extname(target.file).toLowerCase()
  const { kind, codec } = found.snapshot
  const [only] = found.files
  if (kind === 'report' && (extension === '.html' || extension === '.htm')) {
    await writeFile(target.temporary, await reportPage(found))
    return
  }
  if (kind === 'table' && extension === '.parquet' && found.files.length === 1) {
    await copyFile(path.join(found.folder, only!), target.temporary)
    return
  }
  if (kind === 'table' && (extension === '.csv' || extension === '.json')) {
    await exportTable(workspace, found, { ...target, format: extension === '.csv' ? 'csv' : 'json' })
    return
  }
  if (codec === 'pickle' && extension === '.pkl' && only !== undefined) {
    await copyFile(path.join(found.folder, only), target.temporary)
    return
  }
  if (kind === 'file') {
    if (found.files.length === 1) await copyFile(path.join(found.folder, only!), target.temporary)
    else await cp(found.folder, target.temporary, { recursive: true })
    return
  }
  throw new CellmillError(
    'USAGE',
    `'${found.asset}' is a ${kind}, which cannot be written as ${extension || 'a file without an ending'}`,
    {
      hint: `choose ${formatsOf(kind)}`,
    },
  )
}

function formatsOf(kind: string): string {
  if (kind === 'table') return '.parquet, .csv or .json'
  return kind === 'report' ? '.html' : kind === 'object' ? '.pkl' : 'any file name'
}

/** The engine's worker may write only below the state folder, so the file is made there and moved. */
async function exportTable(
  workspace: Workspace,
  found: FoundSnapshot,
  target: Target & { readonly format: 'csv' | 'json' },
): Promise<void> {
  const folder = path.join(await workspace.stateFolder(), 'tmp', 'exports')
  await mkdir(folder, { recursive: true })
  const made = path.join(folder, `${process.pid}-${found.snapshot.id}.${target.format}`)
  try {
    const engine = await workspace.engine()
    const files = found.files.map((name) => path.join(found.folder, name))
    await engine.exportTo([{ relation: 'exported', files, format: 'parquet', options: {} }], target.format, made)
    await writeFile(target.temporary, await readFile(made))
  } finally {
    await rm(made, { force: true })
  }
}
