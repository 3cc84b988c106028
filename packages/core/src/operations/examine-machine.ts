/** `doctor`: tries each thing that Cellmill needs for real (a native part is loaded, a sandbox started, a file written). */
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { isCellmillError } from '../errors.ts'
import { findProject } from '../project/find-project.ts'

export interface MachineCheck {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'failed'
  readonly detail: string
  readonly hint: string | null
}

export interface MachineOptions {
  readonly folder: string
  readonly variables: Readonly<Record<string, string | undefined>>
}

type Probe = () => Promise<Omit<MachineCheck, 'name'>>

const lowDiskBytes = 1_000_000_000

export async function examineMachine(options: MachineOptions): Promise<readonly MachineCheck[]> {
  const root = projectHere(options.folder)
  const probes: readonly (readonly [string, Probe])[] = [
    ['node', () => Promise.resolve(ok(`${process.versions.node} on ${process.platform} ${process.arch}`))],
    ['catalog', probeCatalog],
    ['engine', probeEngine],
    ['parser', probeParser],
    ['python', probePython],
    ['uv', probeUv],
    ['sandbox', probeSandbox],
    ['disk', () => probeDisk(root ?? options.folder)],
    ['project', () => probeProject(root)],
    ['packages', () => probePackages(root)],
  ]
  const checks: MachineCheck[] = []
  for (const [name, probe] of probes) checks.push({ name, ...(await attempt(probe)) })
  return checks
}

function projectHere(folder: string): string | null {
  try {
    return findProject(folder)
  } catch (error) {
    if (!isCellmillError(error, 'PROJECT_NOT_FOUND')) throw error
    return null
  }
}

async function attempt(probe: Probe): Promise<Omit<MachineCheck, 'name'>> {
  try {
    return await probe()
  } catch (error) {
    const hint = isCellmillError(error) ? (error.hint ?? null) : 'npm ci'
    return { state: 'failed', detail: error instanceof Error ? error.message : String(error), hint }
  }
}

function ok(detail: string): Omit<MachineCheck, 'name'> {
  return { state: 'ok', detail, hint: null }
}

async function probeCatalog(): Promise<Omit<MachineCheck, 'name'>> {
  const { default: Database } = await import('better-sqlite3')
  const database = new Database(':memory:')
  const version = String(database.prepare('SELECT sqlite_version()').pluck().get())
  database.close()
  return ok(`SQLite ${version}`)
}

async function probeEngine(): Promise<Omit<MachineCheck, 'name'>> {
  const { version } = await import('@duckdb/node-api')
  return ok(`DuckDB ${version()}`)
}

async function probeParser(): Promise<Omit<MachineCheck, 'name'>> {
  const { parseSync } = await import('oxc-parser')
  return parseSync('probe.ts', 'const x: number = 1').errors.length === 0
    ? ok('TypeScript parser loads')
    : { state: 'failed', detail: 'the TypeScript parser does not work', hint: 'npm ci' }
}

async function probePython(): Promise<Omit<MachineCheck, 'name'>> {
  const { findPython } = await import('../packages/find-python.ts')
  const found = await findPython()
  return ok(`${found.version} at ${found.python}`)
}

async function probeUv(): Promise<Omit<MachineCheck, 'name'>> {
  const { findUv } = await import('../packages/find-uv.ts')
  return ok(await findUv())
}

async function probeSandbox(): Promise<Omit<MachineCheck, 'name'>> {
  const { openSandbox } = await import('../runtimes/sandbox/open-sandbox.ts')
  const { findPython } = await import('../packages/find-python.ts')
  const python = await findPython().then(
    (found) => found.python,
    () => null,
  )
  const { level } = await openSandbox({ mode: 'auto', python })
  if (level === 'bubblewrap') return ok('bubblewrap')
  const hint = 'apt install bubblewrap, and allow user namespaces'
  if (level === 'landlock')
    return { state: 'warning', detail: 'landlock: files are guarded, processes are not hidden', hint }
  return { state: 'warning', detail: 'none: steps can read and change anything here', hint }
}

async function probeDisk(folder: string): Promise<Omit<MachineCheck, 'name'>> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'cellmill-doctor-'))
  try {
    await writeFile(path.join(scratch, 'probe'), 'x')
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  const stat = await statfs(folder)
  const free = stat.bavail * stat.bsize
  const detail = `${(free / 1e9).toFixed(1)} GB free`
  return free < lowDiskBytes ? { state: 'warning', detail, hint: 'cellmill gc' } : ok(detail)
}

async function probeProject(root: string | null): Promise<Omit<MachineCheck, 'name'>> {
  return Promise.resolve(
    root === null ? { state: 'warning' as const, detail: 'none here', hint: 'cellmill init NAME' } : ok(root),
  )
}

async function probePackages(root: string | null): Promise<Omit<MachineCheck, 'name'>> {
  if (root === null) return ok('no project')
  const { loadEnvironment } = await import('../packages/load-environment.ts')
  const environment = await loadEnvironment({ root })
  return environment === null
    ? ok('no requirements.lock: steps have the standard library only')
    : ok(`${environment.distributions.length} for Python ${environment.version}`)
}
