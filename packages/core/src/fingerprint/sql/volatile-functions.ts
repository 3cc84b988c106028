/** SQL functions whose value changes between runs, by the engine's own word for stability; a few it calls stable are not. */
import type { VolatileUse } from '../closures.ts'
import type { QueryFacts } from './query-facts.ts'

/** Fixed in our sessions, or not a value at all. */
const harmless = new Set(['current_database', 'current_schema', 'current_schemas', 'in_search_path', 'error'])
const clocks =
  /^(now|today|current_(date|time|timestamp)|get_current_(time|timestamp)|transaction_timestamp|local(time|timestamp)|age)$/
const randoms = /^(random|setseed|uuid(v\d)?|gen_random_uuid)$/

export interface VolatileCall {
  readonly kind: VolatileUse['kind']
  readonly what: string
  readonly offset: number | null
}

export function volatileCalls(facts: QueryFacts): readonly VolatileCall[] {
  const calls: VolatileCall[] = []
  for (const { name, stability, offset, unary } of facts.functions) {
    const lower = name.toLowerCase()
    // `age(x)` counts from today; `age(x, y)` does not.
    const isVolatile =
      lower === 'age' ? unary : stability !== null && stability !== 'CONSISTENT' && !harmless.has(lower)
    if (isVolatile) calls.push({ kind: kindOf(lower), what: `${lower}()`, offset })
  }
  for (const { name, offset } of facts.clocks) calls.push({ kind: 'clock', what: name, offset })
  for (const { offset } of facts.samples)
    calls.push({ kind: 'random', what: 'a sample without REPEATABLE (seed)', offset })
  return calls
}

function kindOf(name: string): VolatileUse['kind'] {
  if (clocks.test(name)) return 'clock'
  return randoms.test(name) ? 'random' : 'process'
}
