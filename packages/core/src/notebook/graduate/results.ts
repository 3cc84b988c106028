/** Which of a step's names become assets: what others read, and what nobody read after it was made. */
import { isFigure } from './displays.ts'
import type { CutInput } from './grouping.ts'
import type { NameVersion, Simulation } from './simulate.ts'
import { stickyVersions } from './sticky.ts'

export function chooseOutputs(
  input: CutInput,
  units: readonly number[],
  simulation: Simulation,
  crossing: ReadonlySet<number>,
): NameVersion[] {
  const made: NameVersion[] = []
  for (const [name, version] of simulation.end) {
    const maker = input.flow.versions[version]?.unit ?? -1
    if (units.includes(maker)) made.push({ name, version })
  }
  const sticky = stickyVersions(input, () => false)
  const alive =
    (input.observation?.final.length ?? 0) === 0 ? null : new Set(input.observation?.final.map(({ name }) => name))
  const final = made.filter(
    (one) =>
      input.flow.final.get(one.name) === one.version &&
      !sticky.has(one.version) &&
      // A branch that was not taken bound nothing.
      alive?.has(one.name) !== false &&
      isResult(input, one),
  )
  const chosen = made.filter((one) => crossing.has(one.version) || (final.includes(one) && !isUsed(input, one.version)))
  if (chosen.length > 0) return chosen
  if (final.length > 0) return final.slice(-1)
  // A step that only draws still has a state of the generators to hand on. What is changed through another name is
  // no candidate: nobody reads it, so nothing keeps it together with the object that it shares.
  return made
    .filter((one) => !sticky.has(one.version) && alive?.has(one.name) !== false && isBoundThere(input, one))
    .slice(-1)
}

function isBoundThere(input: CutInput, one: NameVersion): boolean {
  const maker = input.flow.versions[one.version]?.unit ?? -1
  const groups = input.flow.units[maker]?.changedGroups ?? []
  return !groups.some((group) => group.length > 1 && group.includes(one.name))
}

function isUsed(input: CutInput, version: number): boolean {
  return input.flow.units.some((flow) => [...flow.uses.values()].includes(version))
}

function isResult(input: CutInput, one: NameVersion): boolean {
  const maker = input.units.list[input.flow.versions[one.version]?.unit ?? -1]
  if (maker === undefined || one.name.startsWith('_')) return false
  if (isFigure({ units: input.units, flow: input.flow, roles: input.roles.of }, maker)) return false
  return (
    !['for', 'with', 'import', 'def', 'class', 'while'].includes(maker.facts.kind) ||
    maker.mutates.has(one.name) ||
    !loopTarget(maker.facts.kind, one.name, input.textOf(maker.id))
  )
}

function loopTarget(kind: string, name: string, text: string): boolean {
  if (kind === 'for')
    return new RegExp(`\\bfor\\s+[^:]*\\b${name.replaceAll(/\W/gu, '')}\\b[^:]*\\bin\\b`, 'u').test(text)
  if (kind === 'with') return new RegExp(`\\bas\\s+\\(?[^:]*\\b${name.replaceAll(/\W/gu, '')}\\b`, 'u').test(text)
  return kind !== 'while'
}
