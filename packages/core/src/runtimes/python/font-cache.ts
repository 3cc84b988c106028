/**
 * matplotlib lists the machine's fonts at its first import, half a second in every fresh process. The list is made once per
 * environment, by matplotlib alone in the sandbox; steps get copies, so no step can change what another one draws with.
 */
import { constants } from 'node:fs'
import { copyFile, lstat, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { digestOf } from '../../canonical.ts'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import type { Bind, Sandbox } from '../sandbox/sandbox.ts'
import { isWithin } from '../attempt/copy-code.ts'

export interface FontCacheRequest {
  readonly sandbox: Sandbox
  readonly environment: PythonEnvironment
  /** Binds under which the interpreter works. */
  readonly binds: readonly Bind[]
  readonly cacheFolder: string
}

const timeoutMs = 60_000
const maxListBytes = 16 * 1024 * 1024

/** The folder with the list; null where there is no matplotlib, or it could not be made: steps then list the fonts themselves. */
export async function openFontCache(request: FontCacheRequest): Promise<string | null> {
  const { environment, cacheFolder } = request
  const matplotlib = environment.distributions.find(({ name }) => name === 'matplotlib')
  if (matplotlib === undefined) return null
  const id = digestOf([
    environment.prefix,
    environment.lockDigest,
    environment.version,
    matplotlib.version,
    request.sandbox.level,
  ])
  const folder = path.join(cacheFolder, `fonts-${id.slice(0, 16)}`)
  if ((await listsIn(folder)).length > 0) return folder
  try {
    await mkdir(cacheFolder, { recursive: true })
    return await makeCache(request, folder)
  } catch {
    // Another process may have been first; else a cache that cannot be made only costs time.
    return (await listsIn(folder)).length > 0 ? folder : null
  }
}

/** Copies the list to where a step's matplotlib looks for it. */
export async function copyFonts(cache: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true })
  for (const name of await listsIn(cache))
    await copyFile(path.join(cache, name), path.join(target, name), constants.COPYFILE_FICLONE)
}

async function makeCache(request: FontCacheRequest, folder: string): Promise<string | null> {
  const { sandbox, environment } = request
  const temporary = await mkdtemp(path.join(request.cacheFolder, 'fonts-'))
  try {
    const scratch: Bind = {
      source: temporary,
      target: sandbox.level === 'bubblewrap' ? '/step' : temporary,
      writable: true,
    }
    const home = sandbox.inside(scratch)
    const child = sandbox.spawn({
      command: environment.python,
      args: ['-I', '-c', 'import matplotlib.font_manager'],
      env: { HOME: home, TMPDIR: home, MPLCONFIGDIR: home, LC_ALL: 'C.UTF-8', PYTHONDONTWRITEBYTECODE: '1' },
      cwd: home,
      binds: [...request.binds.filter((bind) => !isWithin('/step', bind.target)), scratch],
      network: false,
      memoryBytes: null,
      cpuSeconds: null,
      maxProcesses: null,
      maxFileBytes: maxListBytes,
      maxOutputBytes: 1024 * 1024,
      timeoutMs,
      control: 'none',
    })
    if ((await child.exited).code !== 0 || (await listsIn(temporary)).length === 0) return null
    await rename(temporary, folder)
    return folder
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

async function listsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [])
  const lists: string[] = []
  for (const name of names) {
    const stat = await lstat(path.join(folder, name))
    if (/^fontlist-[\w.-]+\.json$/.test(name) && stat.isFile() && stat.size <= maxListBytes) lists.push(name)
  }
  return lists
}
