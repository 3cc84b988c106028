/**
 * From a read, analysed and observed notebook to a pipeline's files, as data. Pure: nothing is read or written. What
 * cannot be converted so that it certainly computes the same is a refusal that names the cell and says why.
 */
import type { NotebookDocument } from '../document.ts'
import type { NotebookFacts } from '../ir.ts'
import type { Observation } from '../observation.ts'
import type { Graduation, Refusal } from '../graduation.ts'
import { computeFlow, type Flow } from '../dataflow/flow.ts'
import { makeUnits, type Unit, type Units } from '../dataflow/units.ts'
import { chooseCells } from './choose-cells.ts'
import { CutError } from './cut-error.ts'
import { cut, type Plan } from './cut.ts'
import { titleOf } from './headings.ts'
import { BUILTIN_NAMES, identifier, NameTable } from './names.ts'
import { displayFunction } from './display-function.ts'
import { assignRoles, type Roles } from './roles.ts'
import { findSources, type SourcePlan } from './sources.ts'
import { StepWriter, type WrittenSteps } from './write-steps.ts'
import { lineWriter, textReader } from './write-lines.ts'
import { writeModule } from './write-module.ts'
import { refuseUnsafe } from './refuse-unsafe.ts'
import { unheldNames } from './unheld.ts'

export interface GraduateOptions {
  readonly order?: readonly number[]
  /** Folder below `assets/`, or ''. */
  readonly into: string
  readonly params: readonly string[]
  readonly sources: Readonly<Record<string, string>>
  /** Name of the module and of the notebook in the project. */
  readonly name: string
  readonly existingNames: readonly string[]
  /** Project-relative paths of the repository's files; null when not known. */
  readonly files?: readonly string[] | null
  /** Statements whose query stays in Python, with why; where it is left out, all do. */
  readonly inPython?: ReadonlyMap<number, string>
}

export interface GraduateInput {
  readonly document: NotebookDocument
  readonly facts: NotebookFacts
  readonly observation: Observation | null
  readonly options: GraduateOptions
}

export type GraduateResult = { readonly graduation: Graduation } | { readonly refusals: readonly Refusal[] }

export function graduateNotebook(input: GraduateInput): GraduateResult {
  const { document, facts, observation, options } = input
  if (document.language !== 'python') {
    return { refusals: [{ code: 'N44', cell: null, message: `notebooks in ${document.language} are not converted` }] }
  }
  const chosen = chooseCells(document, facts, observation, options.order ?? null)
  if (chosen.refusals.length > 0) return { refusals: chosen.refusals }
  const units = makeUnits(document, facts, chosen.execution, observation)
  const textOf = textReader(document)
  const flow = computeFlow(units, observation, textOf)
  const roles = assignRoles({ document, units, flow, params: options.params, textOf })
  const names = new NameTable([...units.names, ...options.existingNames, ...readNames(units)])
  const sources = findSources({ document, units, flow, given: options.sources, files: options.files ?? null, names })
  const refusals = [
    ...refuseUnsafe({ document, facts, units, flow, roles, textOf }),
    ...roles.refusals,
    ...sources.refusals,
  ]
  if (refusals.length > 0) return { refusals: unique(refusals) }
  try {
    const plan = cut({ document, units, flow, roles, observation, textOf: (unit) => textOf(units.list[unit] as Unit) })
    const tooLarge = refuseOneStep(units, roles, plan)
    if (tooLarge !== null) return { refusals: [tooLarge] }
    return { graduation: write({ input, units, flow, roles, names, sources, plan, chosen }) }
  } catch (error) {
    if (!(error instanceof CutError)) throw error
    return { refusals: [{ code: error.code, cell: units.list[error.unit]?.cell ?? null, message: error.message }] }
  }
}

interface Decided {
  readonly input: GraduateInput
  readonly units: Units
  readonly flow: Flow
  readonly roles: Roles
  readonly names: NameTable
  readonly sources: SourcePlan
  readonly plan: Plan
  readonly chosen: ReturnType<typeof chooseCells>
}

function write(decided: Decided): Graduation {
  const { input, units, flow, roles, sources, plan, names, chosen } = decided
  const { document, observation, options } = input
  const settings = splitSettings(units, roles)
  const lines = lineWriter(document, units, roles, sources)
  const written = new StepWriter({
    document,
    units,
    flow,
    roles,
    observation,
    steps: plan.steps,
    sources,
    names,
    lines,
    lateSettings: settings.late,
    aliases: moduleAliases(units, roles),
    textOf: textReader(document),
    inPython: options.inPython ?? null,
  }).write()
  const cellmillNames = new Set(written.cellmillNames)
  if (units.list.some((unit) => roles.of[unit.id] === 'parameter')) cellmillNames.add('param')
  if (settings.always.length > 0) cellmillNames.add('setup')
  const path = ['assets', options.into.replaceAll(/^assets\/?|^\/+|\/+$/gu, ''), `${identifier(options.name)}.py`]
    .filter((part) => part !== '')
    .join('/')
  const unneeded = onlyForQueries(units, roles, written)
  const module = writeModule({
    document,
    title: moduleTitle(document),
    units: units.list.filter((unit) => !unneeded.has(unit.id)),
    roles,
    functions: written.functions,
    extraImports: [...written.extraImports],
    cellmillNames,
    settings: settings.always,
    lines: (unit) => lines(unit, false),
  })
  return {
    notebook: { path: document.path, digest: document.digest, name: options.name },
    order: chosen.order,
    execution: chosen.execution,
    repairs: sources.repairs,
    steps: written.steps.map((step) =>
      step.language === 'sql'
        ? { ...step, file: queryFile(path, step.name), line: 1 }
        : { ...step, file: path, line: module.places.get(step.name) ?? 1 },
    ),
    queries: written.queries,
    notes: written.keptQueries.map(({ cell, why }) => ({ cell, message: `the query stays in Python: ${why}` })),
    files: [{ path, text: module.text }],
    lines: module.lines.map((line) => ({ ...line, file: path })),
    parameters: parameters(units, roles),
    sources: sources.sources,
    packages: packages(units, roles, written),
    cut: cutReport(units, roles, plan),
    unheld: unheldNames({ units, flow, roles, plan, held: written.held, droppedCells: chosen.dropped }),
    assumptions: units.assumptions,
  }
}

/** Imports of the engine that only statements need which are SQL now. */
function onlyForQueries(units: Units, roles: Roles, written: WrittenSteps): ReadonlySet<number> {
  const queries = new Set(written.queries.map((query) => query.unit))
  if (queries.size === 0) return queries
  const others = units.list.filter((unit) => !queries.has(unit.id))
  const read = new Set(
    others.flatMap((unit) => [...unit.reads, ...unit.facts.definitions.flatMap((one) => one.lateReads)]),
  )
  const imports = others.filter((unit) => {
    const [first, ...more] = unit.facts.imports
    if (roles.of[unit.id] !== 'import' || first === undefined || more.length > 0) return false
    return first.module === 'duckdb' && first.name === null && !read.has(first.boundAs)
  })
  return new Set(imports.map((unit) => unit.id))
}

/** `assets/delays.py` has its queries in `assets/delays/`. */
function queryFile(module: string, name: string): string {
  return `${module.replace(/\.py$/u, '')}/${name}.sql`
}

function moduleTitle(document: NotebookDocument): string {
  const found = titleOf(document)
  const title = found?.title.replace(/[.:]$/u, '') ?? ''
  const first = title === '' ? `From ${document.path}.` : `${title}, from ${document.path}.`
  return found === null || found.rest === '' ? first : `${first}\n\n${found.rest}`
}

function splitSettings(units: Units, roles: Roles): { always: number[]; late: number[] } {
  const first = units.list.find((unit) => roles.of[unit.id] === 'compute')?.id ?? Number.POSITIVE_INFINITY
  const ids = units.list.filter((unit) => roles.of[unit.id] === 'setting').map((unit) => unit.id)
  return { always: ids.filter((id) => id < first), late: ids.filter((id) => id > first) }
}

function moduleAliases(units: Units, roles: Roles): Map<string, string> {
  const aliases = new Map<string, string>()
  for (const unit of units.list) {
    if (roles.of[unit.id] !== 'import' || unit.facts.kind !== 'import') continue
    for (const one of unit.facts.imports) if (one.name === null) aliases.set(one.boundAs, one.module)
  }
  return aliases
}

function parameters(units: Units, roles: Roles): Graduation['parameters'][number][] {
  return units.list.flatMap((unit) => {
    const scalar = unit.facts.scalar
    if (roles.of[unit.id] !== 'parameter' || scalar === null) return []
    return [{ name: scalar.name, type: scalar.type, default: scalar.source, cell: unit.cell }]
  })
}

function packages(units: Units, roles: Roles, written: WrittenSteps): string[] {
  const found = new Set(roles.installs)
  for (const unit of units.list) {
    const late = unit.facts.definitions.flatMap((one) => one.lateImports ?? [])
    for (const one of [...unit.facts.imports, ...late]) {
      if (one.origin !== 'stdlib' && one.origin !== 'local')
        found.add(one.origin ?? one.module.split('.')[0] ?? one.module)
    }
  }
  if (written.extraImports.has(displayFunction(units).line)) found.add('ipython')
  for (const line of written.extraImports) {
    const module = /^import (pandas|numpy|polars|pyarrow) /u.exec(line)?.[1]
    if (module !== undefined) found.add(module)
  }
  return [...found].sort()
}

function cutReport(units: Units, roles: Roles, plan: Plan): Graduation['cut'] {
  const working = new Set(units.list.filter((unit) => roles.of[unit.id] === 'compute').map((unit) => unit.cell))
  const largest = Math.max(
    0,
    ...plan.steps.map((step) => new Set(step.units.map((unit) => units.list[unit]?.cell)).size),
  )
  return {
    cells: working.size,
    steps: plan.steps.length,
    largestShare: working.size === 0 ? 0 : largest / working.size,
    merges: plan.merges,
  }
}

/** One step around everything is the notebook again, and no pipeline. */
function refuseOneStep(units: Units, roles: Roles, plan: Plan): Refusal | null {
  const working = new Set(units.list.filter((unit) => roles.of[unit.id] === 'compute').map((unit) => unit.cell))
  const largest = plan.steps.toSorted((a, b) => b.units.length - a.units.length)[0]
  const cells = new Set(largest?.units.map((unit) => units.list[unit]?.cell))
  if (working.size < 5 || cells.size < working.size) return null
  const why = plan.merges.toSorted((a, b) => b.cells.length - a.cells.length)[0]
  return {
    code: 'N32',
    cell: why?.cells[0] ?? null,
    message: `all ${working.size} working cells would be one step${why === undefined ? '' : ` because ${why.why}`}; split that first`,
  }
}

function readNames(units: Units): string[] {
  return units.list
    .flatMap((unit) => [
      ...unit.reads,
      ...unit.facts.definitions.flatMap((one) => [...one.lateReads, ...one.parameters]),
    ])
    .filter((name) => !BUILTIN_NAMES.has(name))
}

function unique(refusals: readonly Refusal[]): Refusal[] {
  const seen = new Set<string>()
  return refusals.filter((one) => {
    const key = `${one.code} ${one.cell} ${one.message}`
    return seen.has(key) ? false : (seen.add(key), true)
  })
}
