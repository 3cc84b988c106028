/** What a closure has to say to the author: packages that are not locked, names that are computed, draws without a seed. */
import type { Diagnostic, Place } from '../../diagnostics.ts'
import { nearestName } from '../../model/nearest.ts'
import type { StepDefinition } from '../../model/project.ts'
import type { FactPlace } from './facts.ts'
import { distributionFor } from './packages.ts'
import type { Packages } from './packages.ts'
import type { PlacedUse, Reach } from './reach.ts'

export interface KnownModules {
  readonly packages: Packages
  readonly stdlib: ReadonlySet<string>
  /** Project-relative paths of the project's own modules. */
  readonly modules: readonly string[]
  /** Nearest names found so far, since many steps miss the same module. */
  readonly nearest: Map<string, string | null>
}

export function placeIn(file: string, at: FactPlace): Place {
  return { file, line: at.line, column: at.column, length: at.length, lineText: at.lineText }
}

export function missingPackages(known: KnownModules, reach: Reach): Diagnostic[] {
  const found = new Map<string, Diagnostic>()
  for (const { top, what, file, at, optional, inProject } of reach.outside) {
    if (inProject || optional || top === 'cellmill' || top === '') continue
    if (known.stdlib.has(top) || known.packages.has(top) || isFoundThroughPath(known, reach, top)) continue
    const key = `${file}\n${at.line}\n${top}`
    if (!found.has(key)) found.set(key, missing(known, what, placeIn(file, at)))
  }
  return [...found.values()]
}

function missing(known: KnownModules, module: string, at: Place): Diagnostic {
  const top = module.split('.')[0]!
  const near = nearestModule(known, top)
  const name = distributionFor(top)
  return {
    code: 'D041',
    severity: 'error',
    message: `'${top}' is imported, but no package of the lock has it and no module of the project is called so`,
    at,
    notes: near === null ? [] : [`did you mean '${near}'?`],
    fix: `add ${name} to requirements.txt, then cellmill packages lock`,
  }
}

function nearestModule(known: KnownModules, top: string): string | null {
  let near = known.nearest.get(top)
  if (near === undefined) {
    const own = known.modules.map((file) =>
      file
        .replace(/(\/__init__)?\.py$/, '')
        .split('/')
        .at(-1)!,
    )
    near = nearestName(top, [...known.packages.modules, ...own])
    known.nearest.set(top, near)
  }
  return near
}

/** Where code changes `sys.path`, a module may come from anywhere in the project. */
function isFoundThroughPath(known: KnownModules, reach: Reach, top: string): boolean {
  if (!reach.computed.some((use) => use.what.startsWith('sys.path'))) return false
  return known.modules.some((file) => file.endsWith(`/${top}.py`) || file.includes(`/${top}/`)) || reach.dynamic
}

export function computedNames(step: string, uses: readonly PlacedUse[]): Diagnostic[] {
  const [first] = uses
  if (first === undefined) return []
  const others = uses.length - 1
  return [
    {
      code: 'D051',
      severity: 'warning',
      message: `'${step}' reaches ${first.what}, so which code it uses cannot be read: any edit of the modules it imports rebuilds it`,
      at: placeIn(first.file, first.at),
      notes: others === 0 ? [] : [`and ${others} more such ${others === 1 ? 'place' : 'places'}`],
      fix: 'write the name itself where you can',
    },
  ]
}

export function drawsWithoutSeed(step: StepDefinition, draws: readonly PlacedUse[]): Diagnostic[] {
  const [first] = draws
  // What continues from another step's generators has its seed from there.
  if (first === undefined || step.options.random === 'fresh' || step.options.afterRandom !== null) return []
  return [
    {
      code: 'D050',
      severity: 'warning',
      message: `'${step.id}' draws random numbers with ${first.what} and gives no seed: the global generators are seeded from its name`,
      at: placeIn(first.file, first.at),
      notes: [],
      fix: 'pass a seed, such as random_state=0 or numpy.random.default_rng(0)',
    },
  ]
}
