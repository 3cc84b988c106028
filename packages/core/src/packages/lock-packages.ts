/**
 * requirements.txt to requirements.lock: exact versions with hashes, wheels only, as the index was on a day where one is
 * given. Invariant: the old lock stays until the new one is complete.
 */
import { existsSync } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CellmillError } from '../errors.ts'
import type { FoundPython } from './find-python.ts'
import { findUv, toolEnvironment } from './find-uv.ts'
import { lockHeader, lockedPackages } from './lock-file.ts'
import type { LockedPackage } from './lock-file.ts'
import { runCommand } from './run-command.ts'
import type { CommandResult } from './run-command.ts'
import { isUnsatisfiable, toolFailure } from './tool-failure.ts'

export interface LockOptions {
  /** Holds requirements.txt; without one the lock is empty. */
  readonly root: string
  readonly interpreter: FoundPython
  /** `2023-06-01`: the packages that were released by then. Null for today. */
  readonly asOf: string | null
  readonly signal?: AbortSignal | undefined
}

export interface LockedPackages {
  readonly file: string
  readonly packages: readonly LockedPackage[]
  /** Later than what was asked for when nothing fits on that day: the earliest day that resolves. */
  readonly asOf: string | null
}

const dayMs = 86_400_000

/** Throws PACKAGES_FAILED naming the package; the old lock is then still there. */
export async function lockPackages(options: LockOptions): Promise<LockedPackages> {
  const file = path.join(options.root, 'requirements.lock')
  const text = await readRequirements(options.root)
  const asked = options.asOf === null ? null : parseDay(options.asOf)
  const resolver = { uv: await findUv(), options }
  const resolved = await resolveOn(resolver, asked)
  const locked = lockHeader({ python: options.interpreter.version, asOf: resolved.asOf }, asked) + resolved.text
  if (/^\s*(?:-e|--editable)\b|^[./]/m.test(resolved.text)) throw unlockable(text)
  const temporary = `${file}.${process.pid}`
  try {
    await writeFile(temporary, locked)
    await rename(temporary, file)
  } finally {
    await rm(temporary, { force: true })
  }
  return { file, packages: lockedPackages(resolved.text), asOf: resolved.asOf }
}

async function readRequirements(root: string): Promise<string> {
  const file = path.join(root, 'requirements.txt')
  const text = existsSync(file) ? await readFile(file, 'utf8') : ''
  for (const line of text.split('\n')) {
    if (/^\s*(?:-e\b|--editable\b|\.{0,2}\/|file:|git\+)|@\s*(?:git\+|file:)/.test(line)) throw unlockable(line.trim())
  }
  return text
}

/** A folder's or a repository's content is not pinned by a line of text, and would have to be built. */
function unlockable(line: string): CellmillError {
  return new CellmillError(
    'PACKAGES_FAILED',
    `requirements.txt names a folder or repository, which cannot be locked: ${line}`,
    {
      hint: 'name a released package; modules of the project itself are imported without being listed',
      details: { line },
    },
  )
}

function parseDay(text: string): string {
  const day = /^(\d{4}-\d\d-\d\d)(?:$|T)/.exec(text)?.[1]
  if (day !== undefined && !Number.isNaN(Date.parse(day))) return day
  throw new CellmillError('USAGE', `${text} is no day`, { hint: 'write it as 2023-06-01' })
}

interface Resolver {
  readonly uv: string
  readonly options: LockOptions
}

interface Resolved {
  readonly text: string
  readonly asOf: string | null
}

async function resolveOn(resolver: Resolver, asOf: string | null): Promise<Resolved> {
  const first = await compile(resolver, asOf)
  if (first.code === 0) return { text: first.stdout, asOf }
  if (asOf !== null && isUnsatisfiable(first.stderr)) return earliestAfter(resolver, asOf)
  throw unresolved(first)
}

/** By halving: what fits on a day fits on later ones, but for releases that were withdrawn. */
async function earliestAfter(resolver: Resolver, asOf: string): Promise<Resolved> {
  const today = await compile(resolver, null)
  if (today.code !== 0) throw unresolved(today)
  let [tooEarly, fits] = [Date.parse(asOf), Math.floor(Date.now() / dayMs) * dayMs + dayMs]
  let text = today.stdout
  while (fits - tooEarly > dayMs) {
    const middle = tooEarly + Math.floor((fits - tooEarly) / dayMs / 2) * dayMs
    const ended = await compile(resolver, dayOf(middle))
    if (ended.code === 0) [fits, text] = [middle, ended.stdout]
    else if (isUnsatisfiable(ended.stderr)) tooEarly = middle
    else throw unresolved(ended)
  }
  return { text, asOf: dayOf(fits) }
}

function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10)
}

async function compile({ uv, options }: Resolver, asOf: string | null): Promise<CommandResult> {
  const { root, interpreter, signal } = options
  const args = [
    'pip',
    'compile',
    '--quiet',
    '--generate-hashes',
    '--only-binary',
    ':all:',
    '--no-header',
    '--no-annotate',
  ]
  args.push('--python', interpreter.python)
  // Midnight UTC after the day, so that the whole day counts in every time zone.
  if (asOf !== null) args.push('--exclude-newer', `${dayOf(Date.parse(asOf) + dayMs)}T00:00:00Z`)
  args.push(existsSync(path.join(root, 'requirements.txt')) ? 'requirements.txt' : '-')
  return runCommand(uv, args, { cwd: root, env: toolEnvironment(), signal })
}

function unresolved({ stderr }: CommandResult): CellmillError {
  return toolFailure({
    stderr,
    message: 'requirements.txt cannot be resolved',
    hint: 'change the package that is named in requirements.txt',
    again: 'cellmill packages lock',
  })
}
