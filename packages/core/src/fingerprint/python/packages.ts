/**
 * From the modules that code imports to the distributions that can change its result: those that hold them, what these
 * require, and every installed one that one of those names as optional or that plugs itself into one of them.
 * Invariant: in doubt a distribution is in. Markers and versions in requirements are not read, only names.
 */
import type { PackageEntry } from '../../model/recipe.ts'
import type { InstalledDistribution, PythonEnvironment } from '../../packages/python-environment.ts'

/** Distributions whose name is not that of their module, for messages. */
const wellKnown: Readonly<Record<string, string>> = {
  sklearn: 'scikit-learn',
  skimage: 'scikit-image',
  cv2: 'opencv-python',
  PIL: 'pillow',
  yaml: 'pyyaml',
  bs4: 'beautifulsoup4',
  dateutil: 'python-dateutil',
  dotenv: 'python-dotenv',
  psycopg2: 'psycopg2-binary',
  Crypto: 'pycryptodome',
  serial: 'pyserial',
  git: 'gitpython',
  jwt: 'pyjwt',
  attr: 'attrs',
  pkg_resources: 'setuptools',
}

export function distributionFor(module: string): string {
  return wellKnown[module] ?? module.replaceAll('_', '-')
}

export function normalised(name: string): string {
  return name.replaceAll(/[-_.]+/g, '-').toLowerCase()
}

export class Packages {
  readonly #byName: Map<string, InstalledDistribution> = new Map()
  readonly #byModule: Map<string, string[]> = new Map()
  /** Entry point group (normalised) to those that provide it. */
  readonly #byGroup: Map<string, string[]> = new Map()
  readonly #entries: Map<string, readonly PackageEntry[]> = new Map()

  constructor(environment: PythonEnvironment) {
    for (const distribution of environment.distributions) {
      const name = normalised(distribution.name)
      this.#byName.set(name, distribution)
      for (const module of distribution.modules) push(this.#byModule, module.split('.')[0]!, name)
      for (const group of distribution.entryPointGroups) push(this.#byGroup, normalised(group), name)
    }
  }

  get modules(): Iterable<string> {
    return this.#byModule.keys()
  }

  has(module: string): boolean {
    return this.#byModule.has(module)
  }

  /** `pandas==2.3.3`; several joined by a space when they share a namespace; null when no distribution has it. */
  of(module: string): string | null {
    const names = this.#byModule.get(module.split('.')[0]!)
    if (names === undefined) return null
    const entries = [...new Set(names)].sort().map((name) => this.#entry(name))
    return entries.map(({ name, version }) => `${name}==${version}`).join(' ')
  }

  all(): readonly PackageEntry[] {
    return [...this.#byName.keys()].sort().map((name) => this.#entry(name))
  }

  /** Sorted by name. */
  reachedFrom(modules: Iterable<string>): readonly PackageEntry[] {
    const tops = [...new Set(modules)].sort()
    const key = tops.join(' ')
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const reached = new Set<string>()
    const queue = tops.flatMap((module) => this.#byModule.get(module) ?? [])
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      const distribution = this.#byName.get(name)
      if (distribution === undefined || reached.has(name)) continue
      reached.add(name)
      queue.push(...this.#neighbours(name, distribution))
    }
    const entries = [...reached].sort().map((name) => this.#entry(name))
    this.#entries.set(key, entries)
    return entries
  }

  #neighbours(name: string, distribution: InstalledDistribution): string[] {
    const required = [...distribution.requires.map(requirementName), ...distribution.optional].map(normalised)
    const hosts = new Set([name, ...distribution.modules.map((module) => normalised(module.split('.')[0]!))])
    const plugins = [...this.#byGroup].flatMap(([group, providers]) =>
      [...hosts].some((host) => group === host || group.startsWith(`${host}-`)) ? providers : [],
    )
    return [...required, ...plugins]
  }

  #entry(name: string): PackageEntry {
    const distribution = this.#byName.get(name)!
    const { contentDigest, version } = distribution
    return { name, version: contentDigest === null ? version : `${version}+${contentDigest}` }
  }
}

/** `pandas==2.3.3` for an importable module of the environment, else null. */
export function packageOf(environment: PythonEnvironment): (module: string) => string | null {
  const packages = new Packages(environment)
  return (module) => packages.of(module)
}

function requirementName(requirement: string): string {
  return /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)/.exec(requirement)?.[1] ?? requirement
}

function push(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else if (!list.includes(value)) list.push(value)
}
