/**
 * `global x` in a function that moves into a step: there x is a local of the step, so the function says `nonlocal x`. It
 * means the same as long as no function stands between the two, and as the step itself gives x a value.
 */
import type { Span } from '../ir.ts'
import type { Unit } from '../dataflow/units.ts'

const STATEMENT = /^(\s+)global(\s+[A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*)\s*(?:#.*)?$/u
const ANY = /(^|[\s;:])global\s+[A-Za-z_]\w*(\s*,\s*\w+)*\s*(;|#|$)/mu

export function hasGlobalStatement(text: string): boolean {
  return ANY.test(text)
}

/** Every global statement stands on a line of its own, directly in a function or method of a definition at the top. */
export function canBeNonlocal(unit: Unit, text: string): boolean {
  if (unit.facts.kind !== 'def' && unit.facts.kind !== 'class') return false
  const lines = text.split('\n')
  const statements = lines.filter((line) => STATEMENT.test(line)).length
  const all = lines.filter((line) => ANY.test(line)).length
  const depths = lines.flatMap((line) => /^(\s*)(?:async\s+)?def\s/u.exec(line)?.[1]?.length ?? [])
  const oneLevel = new Set(depths).size === 1 && (unit.facts.kind === 'class' || depths.length === 1)
  return statements === all && oneLevel
}

/** The names that the unit's functions rebind, and the spans of the words to replace. */
export function globalNames(source: string, unit: Unit): { readonly names: string[]; readonly words: Span[] } {
  const names = new Set<string>()
  const words: Span[] = []
  source.split('\n').forEach((text, at) => {
    const line = at + 1
    if (line < unit.facts.span.line || line > unit.facts.span.endLine) return
    const found = STATEMENT.exec(text)
    if (found === null) return
    const column = found[1]?.length ?? 0
    words.push({ line, column, endLine: line, endColumn: column + 'global'.length })
    for (const name of (found[2] ?? '').split(',')) names.add(name.trim())
  })
  return { names: [...names], words }
}
