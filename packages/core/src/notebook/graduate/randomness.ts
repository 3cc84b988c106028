/** Which statements seed a generator of the process. */
import type { TokenUse } from '../ir.ts'
import type { Unit } from '../dataflow/units.ts'

const SEEDING = /(^|\.)(seed|manual_seed|manual_seed_all|set_seed|set_random_seed|seed_everything)$/u

/** A seed alone: a statement that seeds and draws counts as drawing. */
export function isSeed(unit: Unit): boolean {
  return (
    unit.facts.kind === 'expr' &&
    unit.facts.calls.length === 1 &&
    unit.facts.calls.every(
      (call) =>
        SEEDING.test(call.callee) &&
        !/^(\s*|None)$/u.test(Object.values(call.literals)[0] ?? Object.values(call.names)[0] ?? ''),
    )
  )
}

/** Seeds, perhaps among other things, itself or in a function that it calls. */
export function maySeed(unit: Unit, tokens: readonly TokenUse[]): boolean {
  return (
    isSeed(unit) ||
    tokens.some(({ token, why }) => token.startsWith('rng:') && SEEDING.test(/^[\w.]+/u.exec(why)?.[0] ?? ''))
  )
}
