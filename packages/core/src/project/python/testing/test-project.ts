/** Small projects on disk for the tests of discovery and closures, read by the real interpreter. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { systemClock } from '../../../clock.ts'
import { pythonClosures } from '../../../fingerprint/python/python-closures.ts'
import type { Closure, Closures } from '../../../fingerprint/closures.ts'
import type { InstalledDistribution, PythonEnvironment } from '../../../packages/python-environment.ts'
import { pythonPackageRoot } from '../../../sibling.ts'
import { discoverPython } from '../discover-python.ts'
import type { DiscoveredPython } from '../discover-python.ts'

export type FileMap = Readonly<Record<string, string>>

export const testPython: string =
  process.env['CELLMILL_TEST_PYTHON'] ?? path.join(pythonPackageRoot(), '..', '.venv', 'bin', 'python')

export function distribution(name: string, more: Partial<InstalledDistribution> = {}): InstalledDistribution {
  return {
    name,
    version: '1.0',
    modules: [name],
    requires: [],
    optional: [],
    entryPointGroups: [],
    contentDigest: null,
    ...more,
  }
}

export function environmentOf(distributions: readonly InstalledDistribution[] = []): PythonEnvironment {
  return {
    python: testPython,
    prefix: '/none',
    basePrefix: '/none',
    sitePackages: '/none',
    version: '3.11.7',
    platform: 'linux-x86_64',
    distributions,
    lockDigest: '',
  }
}

export interface TestProject extends Disposable {
  readonly root: string
  write(files: FileMap): void
  remove(file: string): void
  /** `started` counts how often an interpreter was asked for. */
  discover(): Promise<DiscoveredPython & { readonly started: number }>
  /** Of the whole project as it is now. */
  closures(environment?: PythonEnvironment): Promise<Closures & { of(id: string): Closure }>
}

export function testProject(files: FileMap): TestProject {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'cellmill-python-')))
  const write = (changed: FileMap): void => {
    for (const [name, text] of Object.entries(changed)) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true })
      writeFileSync(path.join(root, name), text)
    }
  }
  write(files)
  const discover = async (): Promise<DiscoveredPython & { started: number }> => {
    let started = 0
    const found = await discoverPython({
      root,
      cacheFolder: path.join(root, '.cellmill', 'cache'),
      environment: () => {
        started++
        return Promise.resolve(environmentOf())
      },
      clock: systemClock,
    })
    return { ...found, started }
  }
  return {
    root,
    write,
    discover,
    remove: (file) => rmSync(path.join(root, file)),
    async closures(environment) {
      const { steps, facts } = await discover()
      const closures = pythonClosures(facts, environment ?? null)
      return {
        closureOf: (step) => closures.closureOf(step),
        globalDigest: (global) => closures.globalDigest(global),
        of: (id) => {
          const step = steps.find((other) => other.id === id)
          if (step === undefined) throw new Error(`no step ${id} among ${steps.map((other) => other.id).join(', ')}`)
          return closures.closureOf(step)
        },
      }
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}
