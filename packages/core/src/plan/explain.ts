/** Why two recipes differ, in the user's words: the reason of every row that builds. Pure comparison of values. */
import { canonicalJson } from '../canonical.ts'
import type { Json } from '../canonical.ts'
import type { ClosureUnit, PackageEntry, Recipe } from '../model/recipe.ts'
import type { PlanReason } from './plan.ts'

/** Null when the recipes are equal. `of` names the step, for units of its own module. */
export function explainRecipes(before: Recipe, after: Recipe, of: string): PlanReason | null {
  return (
    explainCode(before.closure, after.closure, of) ??
    explainPackages(before, after) ??
    explainParameters(before, after) ??
    explainInputs(before, after) ??
    explainSettings(before, after) ??
    (canonicalJson(before as unknown as Json) === canonicalJson(after as unknown as Json)
      ? null
      : reason('code', 'the recipe changed'))
  )
}

function reason(kind: PlanReason['kind'], detail: string): PlanReason {
  return { kind, detail, because: [] }
}

function explainCode(before: readonly ClosureUnit[], after: readonly ClosureUnit[], of: string): PlanReason | null {
  const nameOf = (unit: ClosureUnit): string => unitName(unit, of)
  const digests = new Map(before.map((unit) => [`${unit.module}:${unit.unit}`, unit.digest]))
  const changed: string[] = []
  const added: string[] = []
  for (const unit of after) {
    const key = `${unit.module}:${unit.unit}`
    const old = digests.get(key)
    if (old === undefined) added.push(nameOf(unit))
    else if (old !== unit.digest) changed.push(nameOf(unit))
    digests.delete(key)
  }
  const goneKeys = digests
  const removed = before.filter((unit) => goneKeys.has(`${unit.module}:${unit.unit}`)).map(nameOf)
  const parts = [listed(changed, 'changed'), listed(added, 'now used'), listed(removed, 'no longer used')].filter(
    (part) => part !== '',
  )
  if (parts.length > 0) return reason('code', parts.join('; '))
  const sameOrder = canonicalJson(before as unknown as Json) === canonicalJson(after as unknown as Json)
  return sameOrder ? null : reason('code', 'the order of top-level statements changed')
}

function unitName(unit: ClosureUnit, of: string): string {
  if (unit.module === '.') {
    if (unit.unit === '*') return `top level of ${of}'s module`
    return unit.unit === '' || unit.unit === '.' ? `the code of ${of}` : unit.unit
  }
  if (unit.unit === '*') return `top level of ${unit.module}`
  return unit.unit === 'text' ? unit.module : `${unit.module}.${unit.unit}`
}

function listed(names: readonly string[], verb: string): string {
  if (names.length === 0) return ''
  const shown = [...new Set(names)].slice(0, 3).join(', ')
  return `${shown}${names.length > 3 ? ` and ${names.length - 3} more` : ''} ${verb}`
}

function explainPackages(before: Recipe, after: Recipe): PlanReason | null {
  const versions = new Map(before.packages.map((entry: PackageEntry) => [entry.name, entry.version]))
  const changes: string[] = []
  for (const { name, version } of after.packages) {
    const old = versions.get(name)
    if (old !== version) changes.push(old === undefined ? `${name} ${version} added` : `${name} ${old} -> ${version}`)
    versions.delete(name)
  }
  for (const name of versions.keys()) changes.push(`${name} removed`)
  for (const key of new Set([...Object.keys(before.runtime), ...Object.keys(after.runtime)])) {
    if (before.runtime[key] !== after.runtime[key])
      changes.push(`${key} ${before.runtime[key] ?? 'none'} -> ${after.runtime[key] ?? 'none'}`)
  }
  if (changes.length === 0) return null
  return reason(
    'packages',
    changes.slice(0, 3).join(', ') + (changes.length > 3 ? ` and ${changes.length - 3} more` : ''),
  )
}

function explainParameters(before: Recipe, after: Recipe): PlanReason | null {
  const values = new Map(before.parameters.map((parameter) => [parameter.name, JSON.stringify(parameter.value)]))
  const changes: string[] = []
  for (const { name, value } of after.parameters) {
    const shown = name.replace(/^project\./, '')
    const old = values.get(name)
    if (old === undefined) changes.push(`${shown} is new`)
    else if (old !== JSON.stringify(value)) changes.push(`${shown} ${old} -> ${JSON.stringify(value)}`)
    values.delete(name)
  }
  for (const name of values.keys()) changes.push(`${name.replace(/^project\./, '')} is gone`)
  return changes.length === 0 ? null : reason('parameter', changes.join(', '))
}

function explainInputs(before: Recipe, after: Recipe): PlanReason | null {
  if (canonicalJson(before.inputs as unknown as Json) === canonicalJson(after.inputs as unknown as Json)) return null
  const was = new Set(before.inputs.map((input) => input.argument))
  const is = new Set(after.inputs.map((input) => input.argument))
  const added = [...is].filter((name) => !was.has(name))
  const removed = [...was].filter((name) => !is.has(name))
  const parts = [...added.map((name) => `now reads ${name}`), ...removed.map((name) => `no longer reads ${name}`)]
  return reason('code', parts.length > 0 ? parts.join(', ') : 'how its inputs are read changed')
}

function explainSettings(before: Recipe, after: Recipe): PlanReason | null {
  const keys = new Set([...Object.keys(before.settings), ...Object.keys(after.settings)])
  const changed = [...keys].filter(
    (key) => JSON.stringify(before.settings[key]) !== JSON.stringify(after.settings[key]),
  )
  if (changed.includes('refresh')) return reason('refresh', 'its refresh is due')
  if (changed.length > 0) {
    const words = changed.map(
      (key) =>
        `${key} ${JSON.stringify(before.settings[key] ?? null)} -> ${JSON.stringify(after.settings[key] ?? null)}`,
    )
    return reason('code', words.join(', '))
  }
  const outputsDiffer = canonicalJson(before.outputs) !== canonicalJson(after.outputs)
  return outputsDiffer ? reason('code', 'its outputs changed') : null
}
