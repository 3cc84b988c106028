/** Notebooks with traps, and generated ones, are graduated and executed beside their modules: never a silent difference. */
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { execute, type Case } from './testing/execute.ts'

interface Trap {
  readonly name: string
  readonly case: Case
  /** The refusal, where it is not `same`. */
  readonly expect?: string
}

const TRAPS = JSON.parse(readFileSync(new URL('testing/traps.json', import.meta.url), 'utf8')) as readonly Trap[]

describe('graduated modules compute what the notebook computed', () => {
  for (const watched of [true, false]) {
    it(`for every trap, ${watched ? 'with an observed run' : 'from static facts alone'}`, () => {
      const outcomes = execute(
        TRAPS.map((trap) => trap.case),
        watched,
      )
      const wrong = outcomes.flatMap((outcome, at) => {
        const trap = TRAPS[at]
        const state =
          outcome.state === 'refused' ? `refused ${outcome.refusals.map((one) => one.code).join()}` : outcome.state
        const allowed = trap?.expect === undefined ? ['same'] : [trap.expect]
        // Without a run, what cannot be stored fails aloud; it never differs in silence.
        if (!watched)
          allowed.push('same', 'pipeline-fails', 'refused N32', 'refused N21', 'refused N16', 'refused N38,N02')
        return allowed.includes(state)
          ? []
          : [{ trap: trap?.name, state, detail: outcome.detail, refusals: outcome.refusals, text: outcome.text }]
      })
      expect(wrong).toEqual([])
    })
  }
})

const NAMES = ['a', 'b', 'c', 'd'] as const
const name = fc.constantFrom(...NAMES)
const small = fc.integer({ min: 0, max: 5 })

/** Statements that keep every name a list of integers, so that most generated notebooks run. */
const statement: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(name, small).map(([x, n]) => `${x} = [${n}, ${n + 1}]`),
  fc.tuple(name, name).map(([x, y]) => `${x} = ${y}`),
  fc.tuple(name, name).map(([x, y]) => `${x} = list(${y})`),
  fc.tuple(name, small).map(([x, n]) => `${x}.append(${n})`),
  fc.tuple(name, small).map(([x, n]) => `${x} += [${n}]`),
  fc.tuple(name, name, name).map(([x, y, z]) => `${x} = ${y} + ${z}`),
  fc.tuple(name, name).map(([x, y]) => `${x}, ${y} = ${y}, ${x}`),
  fc.tuple(name, small).map(([x, n]) => `${x}[0] = ${n}`),
  fc.tuple(name, name).map(([x, y]) => `${x} = [v for v in ${y} if v > 1] or [0]`),
  fc.tuple(name, name).map(([x, y]) => `for v in ${x}:\n    ${y} = ${y} + [v]`),
  fc.tuple(name, name, name).map(([x, y, z]) => `if len(${x}) > 2:\n    ${y} = ${z}`),
  fc.tuple(name, name).map(([x, y]) => `def f(p):\n    return p + ${x} + ${y}[:1]`),
  fc.tuple(name).map(([x]) => `def g(p):\n    ${x}.append(len(p))\n    return p`),
  fc.tuple(name, name).map(([x, y]) => `${x} = f(${y})`),
  fc.tuple(name, name).map(([x, y]) => `${x} = g(${y})`),
  fc.tuple(name).map(([x]) => `h = lambda p: p + ${x}`),
  fc.tuple(name, name).map(([x, y]) => `${x} = h(${y})`),
  fc
    .tuple(name, name)
    .map(([x, y]) => `try:\n    ${x} = [1 // (len(${y}) - 2)]\nexcept ZeroDivisionError as e:\n    ${x} = [9]`),
  fc.tuple(name).map(([x]) => `print(${x})`),
  fc.tuple(name).map(([x]) => `t = (${x}, 1)`),
  fc.tuple(name).map(([x]) => `${x} = t[0]`),
  fc.tuple(name, name).map(([x, y]) => `${x}.extend(${y})`),
  fc.tuple(name, name).map(([x, y]) => `box = {'k': ${x}, 'l': ${y}}`),
  fc.tuple(name).map(([x]) => `${x} = box['k']`),
  fc.tuple(small).map(([n]) => `box['k'].append(${n})`),
  fc.tuple(name).map(([x]) => `${x} = [random.randint(0, 9)] + ${x}`),
  fc.tuple(small).map(([n]) => `random.seed(${n})`),
  fc.tuple(name, name).map(([x, y]) => `k = len(${x}); ${y} = ${y} + [k]`),
  fc.tuple(name).map(([x]) => `del ${x}\n${x} = [0, 1]`),
  fc.tuple(name).map(([x]) => `class K:\n    def get(self): return list(${x})\n    def put(self, v): ${x}.append(v)`),
  fc.tuple(name).map(([x]) => `o = K()\n${x} = o.get()`),
  fc.tuple(small).map(([n]) => `o = K()\no.put(${n})`),
)

const PRELUDE = [
  "import random\nrandom.seed(0)\na = [1, 2]\nb = [3]\nc = [4]\nd = [5, 6]\nt = (a, 0)\nbox = {'k': b}",
  'def f(p):\n    return p + a\ndef g(p):\n    return p\nh = lambda p: p\nclass K:\n    def get(self): return [1]\n    def put(self, v): pass',
]
const notebook = fc.array(
  fc.array(statement, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n')),
  { minLength: 2, maxLength: 7 },
)

describe('generated notebooks', () => {
  for (const watched of [true, false]) {
    it(`are equal or refused, never silently different, ${watched ? 'with' : 'without'} an observed run`, () => {
      const cases: Case[] = fc
        .sample(notebook, { numRuns: runs(), seed: seed() })
        .map((cells) => ({ cells: [...PRELUDE, ...cells] }))
      const outcomes = execute(cases, watched)
      const wrong = outcomes.flatMap((outcome, at) =>
        outcome.state === 'different' || (watched && outcome.state === 'pipeline-fails')
          ? [{ cells: cases[at]?.cells.slice(PRELUDE.length), detail: outcome.detail, text: outcome.text }]
          : [],
      )
      expect(wrong.slice(0, 2)).toEqual([])
      expect(outcomes.filter((outcome) => outcome.state === 'same').length).toBeGreaterThan(0)
    })
  }
})

function runs(): number {
  return Number(process.env['CELLMILL_FUZZ_RUNS'] ?? 60)
}

function seed(): number {
  return Number(process.env['CELLMILL_FUZZ_SEED'] ?? 1)
}
