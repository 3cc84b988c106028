/**
 * Values that cannot leave the step that made them: iterators, open files, connections, figures, functions and classes
 * defined in a step, and what may hold such a class. Observation decides where it saw the value; else names of callables.
 */
import type { Observation, ObservedValue } from '../observation.ts'
import { isData, type Unit } from '../dataflow/units.ts'
import type { StepFacts } from './simulate.ts'

export interface StickyInput extends StepFacts {
  readonly observation: Observation | null
  readonly textOf: (unit: number) => string
}

const MAKES_RESOURCE =
  /(^|\.)(zip|map|filter|iter|enumerate|reversed|open|reader|DictReader|writer|connect|cursor|create_engine|Session|Thread|Lock|Pool|Popen|iterrows|itertuples|ThreadPoolExecutor|ProcessPoolExecutor|socket|urlopen|finditer|scandir|memmap|memoryview|tee|chain|islice|cycle|count)$/u

/** Version to why it stays, in words that follow the name. */
export function stickyVersions(input: StickyInput, isFigure: (unit: Unit) => boolean): Map<number, string> {
  const sticky = new Map<number, string>()
  for (const version of input.flow.versions) {
    const unit = input.units.list[version.unit]
    if (unit === undefined || input.roles.of[unit.id] !== 'compute') continue
    const why =
      whySticky(input, unit, version.id, isFigure) ??
      changedFrom(input, unit, version.name, sticky) ??
      inherited(input, unit, version.name, sticky)
    if (why !== null) sticky.set(version.id, why)
  }
  return sticky
}

function whySticky(input: StickyInput, unit: Unit, version: number, isFigure: (unit: Unit) => boolean): string | null {
  const name = input.flow.versions[version]?.name ?? ''
  if (input.roles.sticky.has(version))
    return unit.facts.kind === 'import' ? 'is a module' : 'is defined from values of the notebook'
  const seen = observedValue(input.observation, unit, name)
  if (seen !== null) {
    if (seen.kind === 'unserialisable') return `cannot be stored (${seen.type})`
    if (seen.type.startsWith('matplotlib.')) return 'belongs to a figure'
    if (seen.kind === 'module') return 'is a module'
    if (seen.definedHere && (seen.kind === 'function' || seen.kind === 'class')) return 'is code of the notebook'
    return heldCode(input, seen)
  }
  const resource = unit.facts.resources?.[name]
  if (resource !== undefined) return `cannot be stored (${resource})`
  if (unit.facts.bindTypes?.[name]?.some((type) => type === 'function' || type === 'module') === true)
    return 'is code of the notebook'
  const holdsCode = unit.facts.definitions.length > 0 && !isData(unit, name, null)
  if (holdsCode) return 'may hold a function'
  if (isFigure(unit) && unit.binds.includes(name)) return 'belongs to a figure'
  if (unit.facts.kind !== 'assign' && unit.facts.kind !== 'with' && unit.facts.kind !== 'annassign') return null
  const text = input.textOf(unit.id)
  if (unit.facts.calls.some((call) => MAKES_RESOURCE.test(call.callee) && isWholeValue(call.callee, text)))
    return 'is an iterator or an open resource'
  if (/=\s*\((?:(?!\n\S).)*\bfor\b.*\)\s*$/su.test(text)) return 'is a generator'
  const made = unit.facts.calls.find((call) =>
    input.flow.versions.some((one) => one.name === call.callee && definesGenerator(input, one.unit)),
  )
  return made === undefined ? null : 'is a generator'
}

/** Functions and classes are stored by name: one that the module does not define under its name cannot be found again. */
function heldCode(input: StickyInput, seen: ObservedValue): string | null {
  for (const qualified of seen.holdsDefinitions ?? []) {
    const owner = qualified.split('.')[0] ?? ''
    if (!input.roles.hoisted.has(owner)) return `holds ${owner === '<lambda>' ? 'a lambda' : owner} of the notebook`
  }
  return null
}

/** An iterator stays one when it has been read from. */
function changedFrom(input: StickyInput, unit: Unit, name: string, sticky: ReadonlyMap<number, string>): string | null {
  const rebinds = unit.binds.includes(name) && unit.facts.kind !== 'augassign'
  const old = rebinds ? undefined : input.flow.units[unit.id]?.uses.get(name)
  return old === undefined ? null : (sticky.get(old) ?? null)
}

function isWholeValue(callee: string, text: string): boolean {
  const leaf = callee.slice(callee.lastIndexOf('.') + 1)
  return (
    new RegExp(String.raw`(=|\bwith|,)\s*[\w.]*\b${leaf}\(`, 'u').test(text) &&
    !/=\s*(list|tuple|dict|set|sorted|sum|len|max|min|any|all)\(/u.test(text)
  )
}

function definesGenerator(input: StickyInput, unit: number): boolean {
  return input.units.list[unit]?.facts.definitions.some((one) => one.kind === 'generator') === true
}

/** What is made from a class of a step may be an instance of it. */
function inherited(input: StickyInput, unit: Unit, name: string, sticky: ReadonlyMap<number, string>): string | null {
  const seen = observedValue(input.observation, unit, name)
  if (
    seen !== null &&
    !seen.definedHere &&
    seen.kind !== 'unserialisable' &&
    /^(builtins\.(int|float|bool|str|NoneType|complex|bytes)|numpy\.|pandas\.)/u.test(seen.type)
  )
    return null
  const uses = input.flow.units[unit.id]?.uses ?? new Map<string, number>()
  for (const [used, version] of uses) {
    const maker = input.units.list[input.flow.versions[version]?.unit ?? -1]
    const isClass = sticky.has(version) && (maker?.facts.definitions.length ?? 0) > 0
    if (isClass || sticky.get(version)?.startsWith('may hold') === true) {
      if (unit.reads.has(used))
        return `may hold what ${sticky.get(version)?.startsWith('may hold') === true ? 'a step defines' : `${used} makes`}`
    }
  }
  return null
}

/** The value that a run showed for this binding: only where the cell binds the name last here. */
export function observedValue(observation: Observation | null, unit: Unit, name: string): ObservedValue | null {
  const cell = observation?.cells.find((one) => one.index === unit.cell && one.state === 'ok')
  return cell?.values.find((value) => value.name === name) ?? null
}
