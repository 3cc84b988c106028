/** Statements that must share a step: values that cannot be handed over, shared objects that change, files. */
import { isFigure, mayBeSameFile } from './displays.ts'
import type { Grouping } from './grouping.ts'
import { stickyVersions } from './sticky.ts'

export function mergeSticky(cells: Grouping): void {
  const sticky = stickyVersions(cells.input, (unit) =>
    isFigure({ units: cells.input.units, flow: cells.input.flow, roles: cells.input.roles.of }, unit),
  )
  for (const unit of cells.input.units.list) {
    for (const [name, version] of cells.input.flow.units[unit.id]?.uses ?? []) {
      const why = sticky.get(version)
      const maker = cells.input.flow.versions[version]?.unit
      if (why === undefined || maker === undefined || maker === unit.id) continue
      const display = cells.displays.find((group) => group.units.includes(unit.id))
      if (display !== undefined) {
        if (display.units.includes(maker)) continue
        cells.pin(display, cells.has(maker) ? maker : null)
      }
      cells.join(maker, unit.id, `${name} ${why}`)
    }
  }
}

export function mergeShared(cells: Grouping): void {
  const { flow, units } = cells.input
  for (const unit of units.list) {
    const facts = flow.units[unit.id]
    for (const group of facts?.changedGroups ?? []) {
      const live = group.filter(
        (name) => !cells.input.roles.hoisted.has(name) && isLive(cells, facts?.defs.get(name), unit.id),
      )
      const direct = new Set(unit.facts.mutations.map((mutation) => mutation.name))
      const alone = live.length === 1 && direct.size === 1 && direct.has(live[0] ?? '') && unit.unseen.size === 0
      if (live.length === 0 || alone) continue
      for (const name of group) {
        const maker = flow.versions[facts?.uses.get(name) ?? -1]?.unit
        if (maker !== undefined)
          cells.join(maker, unit.id, `${live.join(' and ')} may be one object, which cell ${unit.cell} changes`)
      }
    }
  }
}

function isLive(cells: Grouping, version: number | undefined, unit: number): boolean {
  if (version === undefined) return false
  if ([...cells.input.flow.final.values()].includes(version)) return true
  return cells.input.flow.units.some((other, at) => at !== unit && [...other.uses.values()].includes(version))
}

const COMPARED = /([A-Za-z_]\w*)(?:[\w.]|\[[^\]]*\])*\s+is\s+(?:not\s+)?([A-Za-z_]\w*)/gu
const ONE_OF_A_KIND: ReadonlySet<string> = new Set(['None', 'True', 'False', 'Ellipsis', 'NotImplemented'])

/** A copy of an object is equal to it and another object. */
export function mergeIdentity(cells: Grouping): void {
  for (const unit of cells.input.units.list) {
    const names = new Set(
      unit.facts.calls.filter(({ callee }) => callee === 'id').flatMap((call) => Object.values(call.names)),
    )
    for (const [, left = '', right = ''] of cells.input.textOf(unit.id).matchAll(COMPARED)) {
      if (!ONE_OF_A_KIND.has(right)) for (const name of [left, right]) names.add(name)
    }
    for (const name of names) {
      const maker = cells.input.flow.versions[cells.input.flow.units[unit.id]?.uses.get(name) ?? -1]?.unit
      const display = cells.displays.find((group) => group.units.includes(unit.id))
      if (maker === undefined || !cells.has(maker)) continue
      if (display !== undefined) cells.pin(display, maker)
      cells.join(maker, unit.id, `${name} is compared by identity`)
    }
  }
}

/** Files, tables and other state outside variables: whoever writes it and whoever touches it stay together. */
export function mergeResources(cells: Grouping): void {
  const touching: { unit: number; token: string; write: boolean }[] = []
  cells.input.flow.units.forEach((flow, unit) => {
    for (const token of flow.tokens) {
      if (/^(stdout|figure|clock|rng:|cfg:|entropy)/u.test(token.token)) continue
      touching.push({ unit, token: token.token, write: token.mode === 'write' })
    }
  })
  for (const first of touching) {
    if (!first.write) continue
    for (const second of touching) {
      if (first.unit === second.unit || !mayBeSameFile(first.token, second.token)) continue
      for (const unit of [first.unit, second.unit]) {
        const display = cells.displays.find((group) => group.units.includes(unit))
        if (display !== undefined) cells.pin({ ...display, kind: 'report' }, null)
        cells.displays = cells.displays.filter((group) => group !== display)
      }
      cells.join(first.unit, second.unit, `${first.token.replace(':', ' ')} is written and used again`)
    }
  }
}
