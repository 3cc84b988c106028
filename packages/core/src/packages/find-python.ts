/**
 * The interpreter that environments are made from: named by CELLMILL_PYTHON, else the oldest supported one on PATH that
 * works. Shims (pyenv) are resolved to the real interpreter, which starts four times as fast.
 */
import { statSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CellmillError } from '../errors.ts'
import { cacheFolder } from './cache-folder.ts'
import { runCommand } from './run-command.ts'

export interface FoundPython {
  /** The real interpreter, absolute. */
  readonly python: string
  /** `3.11.7`. */
  readonly version: string
  readonly basePrefix: string
  /** `linux-x86_64`. */
  readonly platform: string
}

const oldest = [3, 11] as const
const names = ['python3.11', 'python3.12', 'python3.13', 'python3.14', 'python3']
const probe = `import json, os, sys, sysconfig
base = sys.base_prefix
name = "python%d.%d" % sys.version_info[:2]
real = next((p for p in (os.path.join(base, "bin", name), os.path.join(base, "bin", "python3")) if os.path.exists(p)), sys.executable)
print(json.dumps({"python": os.path.realpath(real), "version": "%d.%d.%d" % sys.version_info[:3], "basePrefix": base, "platform": sysconfig.get_platform()}))`

let found: Promise<FoundPython> | undefined

/** Throws PYTHON_NOT_FOUND. Looked up once per process, and remembered by the interpreter's path and time. */
export function findPython(): Promise<FoundPython> {
  found ??= search()
  return found
}

async function search(): Promise<FoundPython> {
  const named = process.env['CELLMILL_PYTHON']
  const candidates = named !== undefined && named !== '' ? [named] : names.flatMap(onPath)
  const tooOld: string[] = []
  for (const candidate of candidates) {
    const python = await inspect(candidate)
    if (python === null) continue
    if (isSupported(python.version)) return python
    tooOld.push(`${candidate} is ${python.version}`)
  }
  const seen = tooOld.length > 0 ? ` (${tooOld.join(', ')})` : ''
  const message =
    named === undefined || named === ''
      ? `no Python 3.11 or newer was found${seen}`
      : `CELLMILL_PYTHON names ${named}, which is no Python 3.11 or newer${seen}`
  throw new CellmillError('PYTHON_NOT_FOUND', message, {
    hint: 'apt install python3, or set CELLMILL_PYTHON to an interpreter',
  })
}

function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1])
}

function onPath(name: string): readonly string[] {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '')
  return folders
    .map((folder) => path.join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true)
}

/** Null when it does not answer as a Python does. */
async function inspect(candidate: string): Promise<FoundPython | null> {
  const stat = statSync(candidate, { throwIfNoEntry: false })
  if (stat === undefined) return null
  const key = `${candidate}|${stat.mtimeMs}|${stat.size}`
  const remembered = await readRemembered()
  const known = remembered[key]
  if (known !== undefined && statSync(known.python, { throwIfNoEntry: false })?.isFile() === true) return known
  const answer = await runCommand(candidate, ['-I', '-S', '-c', probe], { timeoutMs: 30_000 }).catch(() => null)
  if (answer === null || answer.code !== 0) return null
  try {
    const python = JSON.parse(answer.stdout) as FoundPython
    await remember({ ...remembered, [key]: python })
    return python
  } catch {
    // Something else than Python answered.
    return null
  }
}

type Remembered = Readonly<Record<string, FoundPython>>

async function readRemembered(): Promise<Remembered> {
  try {
    return JSON.parse(await readFile(path.join(cacheFolder(), 'interpreters.json'), 'utf8')) as Remembered
  } catch {
    // Nothing remembered yet, or unreadable: it is looked up again.
    return {}
  }
}

async function remember(all: Remembered): Promise<void> {
  try {
    await mkdir(cacheFolder(), { recursive: true })
    await writeFile(path.join(cacheFolder(), 'interpreters.json'), JSON.stringify(all))
  } catch {
    // A cache that cannot be written costs time, nothing else.
  }
}
