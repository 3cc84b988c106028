/**
 * The closure's files, copied into the attempt's folder: only what really lies in the project, since a link out of it
 * would show the step anything.
 */
import { constants } from 'node:fs'
import { mkdir, open, realpath, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CellmillError } from '../../errors.ts'
import type { StepWork } from '../runtime.ts'

/** Into `code/`. */
export async function copyCode(work: StepWork): Promise<void> {
  const root = await realpath(work.projectRoot)
  for (const file of work.codeFiles) {
    const source = path.resolve(root, file)
    const target = path.join(work.folder, 'code', file)
    const real = isWithin(root, source) ? await realOrNull(source) : null
    if (real === null || !isWithin(root, real)) throw notInProject(file)
    await mkdir(path.dirname(target), { recursive: true })
    await copyRegular(real, target, file)
  }
}

/** Opened without following or waiting, so that a file swapped for a pipe or link meanwhile is not read. */
async function copyRegular(source: string, target: string, shown: string): Promise<void> {
  const handle = await open(source, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    if (!(await handle.stat()).isFile()) throw notInProject(shown)
    await writeFile(target, await handle.readFile())
  } finally {
    await handle.close()
  }
}

async function realOrNull(file: string): Promise<string | null> {
  try {
    return await realpath(file)
  } catch {
    // Missing files and loops of links are both told as not being there.
    return null
  }
}

function notInProject(file: string): CellmillError {
  return new CellmillError('STEP_FAILED', `the code file ${file} is not a file of the project`, {
    hint: 'it may have been deleted meanwhile, or be a link out of the project: cellmill plan',
    details: { file },
  })
}

export function isWithin(folder: string, file: string): boolean {
  return file === folder || file.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
}
