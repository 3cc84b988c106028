/** Verdicts over values from digests alone: what may be called equal, and what may be excused as noise. */
import { describe, expect, it } from 'vitest'
import type { Difference } from './explain-differences.ts'
import type { Graduation, GraduatedStep } from '../graduation.ts'
import type { Observation, ObservedValue } from '../observation.ts'
import { judgeValues } from './judge-values.ts'
import type { SeenValue, ValueEvidence } from './judge-values.ts'

const value = (digest: string | null): ObservedValue => ({
  name: 'x',
  type: 'builtins.float',
  digest,
  problem: digest === null ? 'no encoding' : null,
  kind: 'object',
  kindBecause: '',
  aliasGroup: null,
  sharesBufferWith: [],
  sizeBytes: 8,
  shape: '',
  definedHere: false,
})

function observation(digest: string | null): Observation {
  const seen = value(digest)
  const cell = {
    index: 0,
    ms: 1,
    state: 'ok' as const,
    error: null,
    bound: ['x'],
    mutated: [],
    deleted: [],
    values: [seen],
  }
  return {
    order: [0],
    cells: [{ ...cell, outputs: [], events: [], changedTokens: [], openFigures: 0 }],
    final: [seen],
    distributions: {},
    python: '3.11',
    ms: 1,
  }
}

const step = (more: Partial<GraduatedStep>): GraduatedStep => ({
  name: 'make',
  kind: 'asset',
  language: 'python',
  file: 'assets/n.py',
  line: 1,
  cells: [0],
  inputs: [],
  outputs: [],
  locals: [],
  afterRandom: null,
  ...more,
})

const seen = (digest: string | null): SeenValue => ({ digest, problem: digest === null ? 'unreadable' : null })
const held = { asset: 'x', kind: 'object' as const, variables: ['x'], afterCell: 0 }

interface Given {
  readonly first: string | null
  readonly second?: string | null
  readonly replayed?: string | null
  readonly built?: string | null
  readonly local?: string
  readonly readsClock?: boolean
  readonly unheld?: string
  readonly difference?: Difference
}

function verdictOf(given: Given): string {
  const isLocal = given.local !== undefined
  const steps =
    given.unheld !== undefined
      ? []
      : [step(isLocal ? { locals: ['x'], readsClock: given.readsClock ?? false } : { outputs: [held] })]
  const unheld = given.unheld === undefined ? [] : [{ variable: 'x', why: given.unheld }]
  const inMap = (digest: string | null | undefined) =>
    new Map(digest === undefined ? [] : [['x', seen(digest)] as const])
  const evidence: ValueEvidence = {
    reference: observation(given.first),
    second: observation(given.second === undefined ? given.first : given.second),
    graduation: { steps, unheld } as unknown as Graduation,
    replayed: new Map([['make', inMap(given.replayed)]]),
    locals: new Map([['make', inMap(given.local)]]),
    pipeline: new Map([['x', inMap(given.built)]]),
    moduleNames: new Map(),
    accepted: new Map(),
    differences: new Map(given.difference === undefined ? [] : [['make', new Map([['x', given.difference]])]]),
  }
  const [judged] = judgeValues(evidence)
  return judged?.verdict ?? 'not listed'
}

describe('judgeValues', () => {
  it('calls equal only what is equal alone and in the pipeline', () => {
    expect(verdictOf({ first: 'a', replayed: 'a', built: 'a' })).toBe('equal')
    expect(verdictOf({ first: 'a', replayed: 'b', built: 'a' })).toBe('different')
    expect(verdictOf({ first: 'a', replayed: 'a', built: 'b' })).toBe('different')
  })

  it('never takes a missing digest for an equal one', () => {
    expect(verdictOf({ first: null, replayed: null, built: null })).toBe('uncompared')
    expect(verdictOf({ first: 'a', replayed: 'a' })).toBe('missing')
    expect(verdictOf({ first: 'a', built: 'a' })).toBe('missing')
  })

  it('excuses noise of the pipeline, but not of a replay', () => {
    expect(verdictOf({ first: 'a', second: 'b', replayed: 'a', built: 'c' })).toBe('stochastic')
    expect(verdictOf({ first: 'a', second: 'b', replayed: 'c', built: 'c' })).toBe('different')
  })

  it('excuses parts that differ between two replays, where the notebook wavers as well', () => {
    const difference = { parts: 9, differing: 1, examples: ['.scratch'], unsteady: true }
    expect(verdictOf({ first: 'a', second: 'b', replayed: 'c', built: 'c', difference })).toBe('stochastic')
    expect(verdictOf({ first: 'a', replayed: 'c', built: 'c', difference })).toBe('different')
    const once = { ...difference, differing: 0, examples: [] }
    expect(verdictOf({ first: 'a', replayed: 'c', built: 'c', difference: once })).toBe('stochastic')
    const steady = { ...difference, unsteady: false }
    expect(verdictOf({ first: 'a', second: 'b', replayed: 'c', built: 'c', difference: steady })).toBe('different')
  })

  it('excuses a local only where its step reads the clock or entropy', () => {
    expect(verdictOf({ first: 'a', second: 'b', local: 'c', readsClock: true })).toBe('stochastic')
    expect(verdictOf({ first: 'a', second: 'b', local: 'c' })).toBe('different')
    expect(verdictOf({ first: 'a', local: 'c', readsClock: true })).toBe('different')
    expect(verdictOf({ first: 'a', local: 'a' })).toBe('equal')
  })

  it('leaves out only what was dropped with a reason', () => {
    expect(verdictOf({ first: 'a', unheld: 'dropped: nothing uses it' })).toBe('equal')
    expect(verdictOf({ first: 'a', unheld: 'local of a step' })).toBe('uncompared')
  })
})
