/**
 * Installed npm packages: their versions, what they require, and whether they are what the lock says. Read from package
 * files; no package manager is started. Linked and local packages have no version that can be trusted, so they go by content.
 */
import { lstatSync, readFileSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { digestOf, sha256 } from '../../canonical.ts'
import type { PackageFacts } from '../../fingerprint/typescript/facts.ts'
import { listFiles } from './list-files.ts'

interface Manifest {
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}
interface LockEntry {
  readonly version?: string
  readonly resolved?: string
  readonly link?: boolean
}

export interface NpmPackages {
  readonly packages: Readonly<Record<string, PackageFacts>>
  /** Project-relative files that were read. */
  readonly installed: readonly string[]
  /** Name to what is wrong. */
  readonly problems: Readonly<Record<string, { readonly message: string; readonly fix: string }>>
}

interface Draft {
  readonly root: string
  readonly lock: Readonly<Record<string, LockEntry>> | null
  readonly versions: Map<string, Set<string>>
  readonly requires: Map<string, Set<string>>
  readonly installed: Set<string>
  readonly problems: Record<string, { message: string; fix: string }>
  readonly done: Set<string>
}

export function npmPackages(root: string, wanted: Iterable<string>): NpmPackages {
  const lock = readJson<{ readonly packages?: Record<string, LockEntry> }>(path.join(root, 'package-lock.json'))
  const draft: Draft = {
    root,
    lock: lock?.packages ?? null,
    versions: new Map(),
    requires: new Map(),
    installed: new Set(['package-lock.json']),
    problems: {},
    done: new Set(),
  }
  for (const name of wanted) {
    if (!add(draft, name, ''))
      draft.problems[name] = { message: `the package '${name}' is not installed`, fix: `npm install ${name}` }
  }
  const packages = [...draft.versions].map(([name, versions]): [string, PackageFacts] => [
    name,
    { version: [...versions].sort().join(' '), requires: [...(draft.requires.get(name) ?? [])].sort() },
  ])
  return {
    packages: Object.fromEntries(packages.sort(([a], [b]) => (a < b ? -1 : 1))),
    installed: [...draft.installed].sort(),
    problems: draft.problems,
  }
}

/** As Node finds it from `parent` (a folder below the root): nested first, then upward. False when it is not installed. */
function add(draft: Draft, name: string, parent: string): boolean {
  for (let at = parent; ; at = at.includes('/node_modules/') ? at.slice(0, at.lastIndexOf('/node_modules/')) : '') {
    const folder = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`
    const manifest = readJson<Manifest>(path.join(draft.root, folder, 'package.json'))
    if (manifest !== null) {
      addInstalled(draft, name, folder, manifest)
      return true
    }
    if (at === '') return false
  }
}

function addInstalled(draft: Draft, name: string, folder: string, manifest: Manifest): void {
  if (draft.done.has(folder)) return
  draft.done.add(folder)
  draft.installed.add(`${folder}/package.json`)
  const locked = draft.lock?.[folder]
  const version = manifest.version ?? ''
  const isLocal =
    isLinked(path.join(draft.root, folder)) ||
    locked?.link === true ||
    /^(file|git|https?:\/\/(?!registry\.))/.test(locked?.resolved ?? '')
  put(draft.versions, name, isLocal ? contentOf(path.join(draft.root, folder)) : version)
  if (draft.lock !== null && !isLocal && locked?.version !== version) {
    const message =
      locked === undefined
        ? `the package '${name}' is not in package-lock.json`
        : `'${name}' ${version} is installed, and package-lock.json has ${locked.version}`
    draft.problems[name] = { message, fix: locked === undefined ? `npm install ${name}` : 'npm ci' }
  }
  const required = Object.keys({
    ...manifest.dependencies,
    ...manifest.optionalDependencies,
    ...manifest.peerDependencies,
  })
  // Optional and peer dependencies that are not there change nothing.
  for (const other of required) if (add(draft, other, folder)) put(draft.requires, name, other)
}

function put(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key)
  if (values === undefined) map.set(key, new Set([value]))
  else values.add(value)
}

function isLinked(folder: string): boolean {
  return lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() === true
}

function contentOf(folder: string): string {
  const real = realpathSync(folder)
  return `content:${digestOf(listFiles(real).map((file) => [file, sha256(readFileSync(path.join(real, file)))]))}`
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- every member that is read is optional
function readJson<T>(file: string): T | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch {
    // Not there, or not JSON: the same as not installed.
    return null
  }
}
