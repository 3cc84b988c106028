/**
 * Which statements only show: they leave the path and become reports. A statement qualifies if nothing outside its own
 * cell's display statements reads what it binds or changes, and if it touches nothing but text and figures. A file it
 * writes for others makes its group a file asset.
 */
import type { Flow } from '../dataflow/flow.ts'
import type { Unit, Units } from '../dataflow/units.ts'
import type { Role } from './roles.ts'

export interface DisplayGroup {
  readonly kind: 'report' | 'file'
  readonly cell: number
  readonly units: readonly number[]
  /** Paths written, as in the notebook. */
  readonly writes: readonly string[]
}

export interface DisplayInput {
  readonly units: Units
  readonly flow: Flow
  readonly roles: readonly Role[]
}

export function findDisplays(input: DisplayInput): DisplayGroup[] {
  const groups: DisplayGroup[] = []
  for (const cell of new Set(input.units.list.map((unit) => unit.cell))) {
    groups.push(...displaysOfCell(input, cell))
  }
  return groups
}

function displaysOfCell(input: DisplayInput, cell: number): DisplayGroup[] {
  const mine = input.units.list.filter((unit) => unit.cell === cell && input.roles[unit.id] === 'compute')
  let shown = new Set(mine.filter((unit) => onlyTouchesScreen(input, unit)).map((unit) => unit.id))
  for (let changed = true; changed;) {
    const kept = new Set([...shown].filter((id) => staysShown(input, id, shown)))
    if (mine.some((unit) => isFigure(input, unit) && !kept.has(unit.id))) {
      for (const unit of mine) if (isFigure(input, unit)) kept.delete(unit.id)
    }
    changed = kept.size !== shown.size
    shown = kept
  }
  return splitByFile(
    input,
    cell,
    [...shown].sort((a, b) => a - b),
  )
}

const PLOTS = /(^|\.)(plot|hist|boxplot|scatter_matrix)$/u

export function isFigure(input: DisplayInput, unit: Unit): boolean {
  if (unit.facts.reads.some((access) => access.path.includes('.plot'))) return true
  if (unit.facts.kind === 'expr' && unit.facts.calls.some((call) => PLOTS.test(call.callee))) return true
  return (input.flow.units[unit.id]?.tokens ?? []).some((token) => token.token === 'figure')
}

function writtenFiles(input: DisplayInput, unit: Unit): string[] {
  return (input.flow.units[unit.id]?.tokens ?? [])
    .filter((token) => token.mode === 'write' && token.token.startsWith('file:'))
    .map((token) => token.token.slice('file:'.length))
}

function onlyTouchesScreen(input: DisplayInput, unit: Unit): boolean {
  const flow = input.flow.units[unit.id]
  if (flow === undefined || unit.deletes.length > 0) return false
  for (const token of flow.tokens) {
    if (token.token === 'stdout' || token.token === 'figure') continue
    if (
      token.mode === 'read' &&
      !token.token.startsWith('table:') &&
      !token.token.startsWith('net:') &&
      !token.token.startsWith('rng:')
    )
      continue
    if (token.token.startsWith('file:') && isOwnFile(input, unit, token.token)) continue
    return false
  }
  return true
}

/** A literal path that nothing else in the notebook reads or writes. */
function isOwnFile(input: DisplayInput, unit: Unit, token: string): boolean {
  const path = token.slice('file:'.length)
  if (path === '' || path === '?' || path.includes('*')) return false
  return input.units.list.every(
    (other) =>
      other.id === unit.id ||
      !(input.flow.units[other.id]?.tokens ?? []).some((use) => mayBeSameFile(use.token, token)),
  )
}

/** Paths that are not known exactly may be any path. */
export function mayBeSameFile(first: string, second: string): boolean {
  const kinds = [first, second].map((token) => token.slice(0, Math.max(0, token.indexOf(':'))))
  if (kinds[0] === kinds[1] && kinds[0] !== '' && [first, second].some((token) => token.endsWith(':?'))) return true
  if (!first.startsWith('file:') || !second.startsWith('file:')) return first === second
  if (first === second) return true
  const [a, b] = [first.slice(5), second.slice(5)].map(normal)
  if (a === b || a === '' || b === '') return true
  return matches(a ?? '', b ?? '') || matches(b ?? '', a ?? '')
}

function normal(path: string): string {
  return path.replaceAll('\\', '/').replaceAll(/(^|\/)(\.\/)+/gu, '$1')
}

function matches(pattern: string, path: string): boolean {
  if (!pattern.includes('*') && !pattern.includes('?')) return false
  const source = pattern
    .split('*')
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/gu, '\\$&'))
    .join('.*')
  return new RegExp(`^${source}$`, 'u').test(path)
}

function staysShown(input: DisplayInput, id: number, shown: ReadonlySet<number>): boolean {
  const unit = input.units.list[id]
  const flow = input.flow.units[id]
  if (unit === undefined || flow === undefined) return false
  for (const group of flow.changedGroups) {
    for (const name of group) if (!isOwnVersion(input, flow.uses.get(name), shown)) return false
  }
  for (const version of flow.defs.values()) {
    const leaks = input.flow.units.some((other, at) => !shown.has(at) && [...other.uses.values()].includes(version))
    if (leaks) return false
  }
  if (unit.facts.kind === 'expr' || (unit.facts.kind === 'magic' && unit.binds.length === 0) || isFigure(input, unit))
    return true
  if (writtenFiles(input, unit).length > 0) return true
  if (['for', 'with', 'if', 'while'].includes(unit.facts.kind))
    return flow.tokens.some((token) => token.token === 'stdout')
  // What is made from a figure (`ax2 = ax.twinx()`) belongs to it.
  return [...flow.uses.values()].some((version) => {
    const maker = input.flow.versions[version]?.unit ?? -1
    const made = input.units.list[maker]
    return made !== undefined && shown.has(maker) && isFigure(input, made)
  })
}

function isOwnVersion(input: DisplayInput, version: number | undefined, shown: ReadonlySet<number>): boolean {
  const maker = version === undefined ? undefined : input.flow.versions[version]?.unit
  return maker !== undefined && shown.has(maker)
}

function splitByFile(input: DisplayInput, cell: number, ids: readonly number[]): DisplayGroup[] {
  const groups: DisplayGroup[] = []
  const rest: number[] = []
  for (const id of ids) {
    const unit = input.units.list[id]
    if (unit === undefined) continue
    const writes = writtenFiles(input, unit)
    const flow = input.flow.units[id]
    const alone =
      flow !== undefined &&
      !isFigure(input, unit) &&
      [...flow.uses.values()].every((version) => !ids.includes(input.flow.versions[version]?.unit ?? -1))
    if (writes.length > 0 && alone) groups.push({ kind: 'file', cell, units: [id], writes })
    else rest.push(id)
  }
  if (rest.length === 0) return groups
  const writes = [...new Set(rest.flatMap((id) => writtenFiles(input, input.units.list[id] as Unit)))]
  groups.push({ kind: writes.length > 0 ? 'file' : 'report', cell, units: rest, writes })
  return groups
}
