/**
 * Copies a project's tree for a run that may write all over it. Left out: version control, our own state, installed
 * packages, links that lead outside. Invariant: never follows a link out of the tree, never copies more than the limits.
 */
import { constants } from 'node:fs'
import { copyFile, lstat, mkdir, readdir, readlink, realpath, stat, symlink } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { CellmillError } from '../../errors.ts'

const skippedFolders = new Set([
  '.git',
  '.hg',
  '.svn',
  '.cellmill',
  'node_modules',
  '__pycache__',
  '.ipynb_checkpoints',
  '.venv',
  'venv',
])

export interface CopyLimits {
  readonly maxFiles: number
  readonly maxBytes: number
}

export const defaultCopyLimits: CopyLimits = { maxFiles: 100_000, maxBytes: 20 * 1024 ** 3 }

export interface CopiedTree {
  readonly files: number
  readonly bytes: number
  /** Project-relative, with the reason: special files, links that lead outside. */
  readonly skipped: readonly { readonly path: string; readonly why: string }[]
}

interface Progress {
  readonly root: string
  readonly target: string
  readonly limits: CopyLimits
  files: number
  bytes: number
  readonly skipped: { path: string; why: string }[]
}

/** `target` is created. Throws NOTEBOOK_REFUSED over a limit, STATE_UNAVAILABLE when a file cannot be read. */
export async function copyTree(
  source: string,
  target: string,
  limits: CopyLimits = defaultCopyLimits,
  signal?: AbortSignal,
): Promise<CopiedTree> {
  const root = await realpath(source)
  const progress: Progress = { root, target, limits, files: 0, bytes: 0, skipped: [] }
  try {
    await copyFolder(progress, root, target, signal)
  } catch (cause) {
    if (cause instanceof CellmillError || signal?.aborted === true) throw cause
    throw new CellmillError('STATE_UNAVAILABLE', `The project could not be copied: ${(cause as Error).message}.`, {
      hint: 'Make the file readable, or move it out of the project.',
      cause,
    })
  }
  return { files: progress.files, bytes: progress.bytes, skipped: progress.skipped }
}

async function copyFolder(progress: Progress, from: string, to: string, signal?: AbortSignal): Promise<void> {
  await mkdir(to, { recursive: true })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    signal?.throwIfAborted()
    const path = join(from, entry.name)
    if (entry.isDirectory()) {
      if (skippedFolders.has(entry.name) || (await isEnvironment(path))) continue
      await copyFolder(progress, path, join(to, entry.name), signal)
    } else if (entry.isFile()) {
      await copyOne(progress, path, join(to, entry.name))
    } else if (entry.isSymbolicLink()) {
      await copyLink(progress, path, join(to, entry.name))
    } else {
      skip(progress, path, 'neither a file nor a folder')
    }
  }
}

async function isEnvironment(folder: string): Promise<boolean> {
  try {
    return (await lstat(join(folder, 'pyvenv.cfg'))).isFile()
  } catch {
    // No such file: an ordinary folder.
    return false
  }
}

async function copyOne(progress: Progress, from: string, to: string): Promise<void> {
  const { size } = await lstat(from)
  progress.files += 1
  progress.bytes += size
  const { limits } = progress
  if (progress.files > limits.maxFiles || progress.bytes > limits.maxBytes) {
    throw new CellmillError(
      'NOTEBOOK_REFUSED',
      `The project is larger than ${limits.maxFiles.toLocaleString('en')} files or ${Math.round(limits.maxBytes / 1024 ** 2).toLocaleString('en')} MB, so it cannot be copied for a run.`,
      { hint: 'Move large data out of the project and declare it as a source.' },
    )
  }
  // A reflink where the disk has them: then a copy costs nothing.
  await copyFile(from, to, constants.COPYFILE_FICLONE)
}

/** A link inside the tree stays a link; one that leads outside is a way out of the copy. */
async function copyLink(progress: Progress, from: string, to: string): Promise<void> {
  const target = resolve(dirname(from), await readlink(from))
  let real: string
  try {
    real = await realpath(target)
  } catch {
    return skip(progress, from, 'a link to nothing')
  }
  const below = relative(progress.root, real)
  if (below.startsWith(`..${sep}`) || below === '..' || isAbsolute(below)) {
    // Data kept elsewhere and linked into the project is data of the notebook: a file is copied, a folder is not walked.
    if ((await stat(real)).isFile()) return copyOne(progress, real, to)
    return skip(progress, from, 'a link to a folder outside the project')
  }
  await symlink(relative(dirname(to), join(progress.target, below)), to)
}

function skip(progress: Progress, path: string, why: string): void {
  progress.skipped.push({ path: relative(progress.root, path), why })
}
