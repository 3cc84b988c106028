/**
 * The interpreter that environments are made from: named by CELLMILL_PYTHON, else the first supported one on PATH.
 * Shims (pyenv, asdf, mise) are resolved to the real interpreter, which starts four times as fast. The answer is
 * remembered by all that decides it, so that later commands start no Python.
 */
import { readFileSync, statSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { sha256 } from '../canonical.ts'
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

const found = new Map<string, Promise<FoundPython>>()

/** Throws PYTHON_NOT_FOUND. Looked up once per process and PATH. */
export function findPython(): Promise<FoundPython> {
  const key = `${process.env['CELLMILL_PYTHON'] ?? ''}\0${process.env['PATH'] ?? ''}`
  const known = found.get(key) ?? search()
  found.set(key, known)
  return known
}

async function search(): Promise<FoundPython> {
  const named = process.env['CELLMILL_PYTHON'] ?? ''
  const tooOld: string[] = []
  for (const candidate of candidatesFor(named)) {
    const python = await inspect(candidate)
    if (python === null) continue
    if (isSupported(python.version)) return python
    tooOld.push(`${candidate} is ${python.version}`)
  }
  const seen = tooOld.length > 0 ? `: ${tooOld.join(', ')}` : ''
  throw new CellmillError(
    'PYTHON_NOT_FOUND',
    named === ''
      ? `No Python 3.11 or newer was found on PATH${seen}.`
      : `CELLMILL_PYTHON names ${named}, which is no Python 3.11 or newer${seen}.`,
    { hint: 'apt install python3  or  export CELLMILL_PYTHON=/path/to/python3', details: { tooOld } },
  )
}

function candidatesFor(named: string): readonly string[] {
  if (named === '') return names.flatMap(onPath)
  return named.includes('/') ? [path.resolve(named)] : onPath(named)
}

function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1])
}

function onPath(name: string): readonly string[] {
  return (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => path.resolve(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true)
}

/** Null when it does not answer as a Python does. */
async function inspect(candidate: string): Promise<FoundPython | null> {
  const stamp = stampOf(candidate)
  if (stamp === null) return null
  const key = sha256([candidate, stamp, isScript(candidate) ? shimState() : ''].join('\0'))
  const known = (await readRemembered())[key]
  if (known !== undefined && stampOf(known.python) === known.stamp) return withoutStamp(known)
  const answer = await runCommand(candidate, ['-I', '-S', '-c', probe], { timeoutMs: 30_000 }).catch(() => null)
  const python = answer === null || answer.code !== 0 ? null : parseAnswer(answer.stdout)
  if (python !== null) await remember(key, python)
  return python
}

function parseAnswer(text: string): FoundPython | null {
  try {
    const { python, version, basePrefix, platform } = JSON.parse(text) as FoundPython
    return [python, version, basePrefix, platform].every((value) => typeof value === 'string')
      ? { python, version, basePrefix, platform }
      : null
  } catch {
    // Something else than Python answered.
    return null
  }
}

function stampOf(file: string): string | null {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat?.isFile() === true ? `${stat.mtimeMs}|${stat.size}|${stat.ino}` : null
}

function isScript(file: string): boolean {
  return read(file).startsWith('#!')
}

/** What a version manager's shim chooses by: its variables, its global choice, and the files from here upward. */
function shimState(): string {
  const { PYENV_VERSION, PYENV_ROOT, ASDF_PYTHON_VERSION, MISE_PYTHON_VERSION } = process.env
  const files = [path.join(PYENV_ROOT ?? path.join(homedir(), '.pyenv'), 'version')]
  for (let folder = process.cwd(); ; folder = path.dirname(folder)) {
    for (const name of ['.python-version', '.tool-versions', 'mise.toml', '.mise.toml'])
      files.push(path.join(folder, name))
    if (folder === path.dirname(folder)) break
  }
  return JSON.stringify([PYENV_VERSION, ASDF_PYTHON_VERSION, MISE_PYTHON_VERSION, files.map(read)])
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1').slice(0, 4096)
  } catch {
    // Not there, which is an answer too.
    return ''
  }
}

type Remembered = Readonly<Record<string, FoundPython & { readonly stamp: string }>>

function withoutStamp({ python, version, basePrefix, platform }: FoundPython): FoundPython {
  return { python, version, basePrefix, platform }
}

async function readRemembered(): Promise<Remembered> {
  try {
    return JSON.parse(await readFile(path.join(cacheFolder(), 'interpreters-2.json'), 'utf8')) as Remembered
  } catch {
    // Nothing remembered yet, or unreadable: it is looked up again.
    return {}
  }
}

async function remember(key: string, python: FoundPython): Promise<void> {
  const file = path.join(cacheFolder(), 'interpreters-2.json')
  const temporary = `${file}.${process.pid}`
  try {
    const all = { ...(await readRemembered()), [key]: { ...python, stamp: stampOf(python.python) } }
    await mkdir(cacheFolder(), { recursive: true })
    await writeFile(temporary, JSON.stringify(all))
    await rename(temporary, file)
  } catch {
    // A cache that cannot be written costs time, nothing else.
  }
}
