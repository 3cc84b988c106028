/**
 * The observer's answers as typed values. They come from a process that runs user code, so that every field is checked
 * or replaced by its empty value: a wrong shape must not travel on.
 */
import type { Json } from '../../canonical.ts'
import type { ObservedEvent, ObservedValue } from '../observation.ts'

type Unchecked = Readonly<Record<string, unknown>>

export interface CellAnswer {
  readonly problem: string | null
  readonly ms: number
  readonly line: number | null
  readonly events: readonly ObservedEvent[]
  readonly changedTokens: readonly string[]
  readonly bound: readonly string[]
  readonly mutated: readonly string[]
  readonly deleted: readonly string[]
  readonly values: readonly ObservedValue[]
  readonly openFigures: number
  readonly peakMemoryBytes: number | null
}

export interface FinalAnswer {
  readonly problem: string | null
  readonly values: readonly ObservedValue[]
  readonly unclaimed: readonly string[]
  readonly distributions: Readonly<Record<string, string>>
  readonly python: string
  readonly unwatched: readonly string[]
  readonly clock: 'none' | 'libfaketime' | 'wrapped'
}

const valueKinds = ['table', 'object', 'module', 'function', 'class', 'unserialisable'] as const
const eventKinds = ['open-read', 'open-write', 'socket', 'process', 'chdir', 'sqlite'] as const
const clocks = ['none', 'libfaketime', 'wrapped'] as const

export function cellAnswer(reply: Unchecked): CellAnswer {
  const content = parsed(reply)
  return {
    problem: textOrNull(content['problem']),
    ms: numberOrNull(content['ms']) ?? 0,
    line: numberOrNull(content['line']),
    events: listOf(content['events']).map(eventOf),
    changedTokens: textsOf(content['changedTokens']),
    bound: textsOf(content['bound']),
    mutated: textsOf(content['mutated']),
    deleted: textsOf(content['deleted']),
    values: listOf(content['values']).map(valueOf),
    openFigures: numberOrNull(content['openFigures']) ?? 0,
    peakMemoryBytes: numberOrNull(content['peakMemoryBytes']),
  }
}

export function finalAnswer(reply: Unchecked): FinalAnswer {
  const content = parsed(reply)
  const distributions = Object.entries(recordOf(content['distributions']))
  return {
    problem: textOrNull(content['problem']),
    values: listOf(content['values']).map(valueOf),
    unclaimed: textsOf(content['unclaimed']),
    distributions: Object.fromEntries(distributions.map(([name, version]) => [name, textOf(version)])),
    python: textOf(content['python']),
    unwatched: textsOf(content['problems']),
    clock: oneOf(clocks, content['clock'], 'none'),
  }
}

function parsed(reply: Unchecked): Unchecked {
  try {
    return recordOf(JSON.parse(textOf(reply['json'])))
  } catch {
    // Whoever answered was not the observer.
    return { problem: 'the answer was not readable' }
  }
}

function valueOf(value: Unchecked): ObservedValue {
  return {
    name: textOf(value['name']),
    type: textOf(value['type']),
    digest: textOrNull(value['digest']),
    problem: textOrNull(value['problem']),
    kind: oneOf(valueKinds, value['kind'], 'unserialisable'),
    kindBecause: textOf(value['kindBecause']),
    aliasGroup: numberOrNull(value['aliasGroup']),
    sharesBufferWith: textsOf(value['sharesBufferWith']),
    sizeBytes: numberOrNull(value['sizeBytes']) ?? 0,
    shape: textOf(value['shape']),
    definedHere: value['definedHere'] === true,
    holdsDefinitions: Array.isArray(value['holdsDefinitions']) ? value['holdsDefinitions'].map(String) : [],
  }
}

function eventOf(event: Unchecked): ObservedEvent {
  return {
    kind: oneOf(eventKinds, event['kind'], 'open-read'),
    what: textOf(event['what']),
    line: numberOrNull(event['line']),
  }
}

function oneOf<T extends string>(allowed: readonly T[], value: unknown, otherwise: T): T {
  return allowed.find((one) => one === value) ?? otherwise
}

function listOf(value: unknown): readonly Unchecked[] {
  return Array.isArray(value) ? value.map(recordOf) : []
}

function recordOf(value: unknown): Unchecked {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, Json>) : {}
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((part): part is string => typeof part === 'string') : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
