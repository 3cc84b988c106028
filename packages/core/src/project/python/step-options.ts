/**
 * Options of a Python step, from literals to `StepOptions`. What is unknown or malformed is a Diagnostic that shows what to
 * write; the option then has its default, so that everything wrong is shown at once.
 */
import type { Json } from '../../canonical.ts'
import type { Diagnostic, Place } from '../../diagnostics.ts'
import { nearestName } from '../../model/nearest.ts'
import type { Refresh, StepOptions } from '../../model/project.ts'
import { parseDurationMs, parseRefresh, parseSizeBytes } from '../quantities.ts'

export interface GivenOption {
  readonly value: Json
  readonly at: Place
}

export type GivenOptions = Readonly<Record<string, GivenOption>>

/** Options that say what the step is rather than how it runs; read by python-steps.ts. */
const structural = ['name', 'kind', 'outputs', 'reads', 'description', 'severity']
const operational = [
  'refresh',
  'random',
  'after_random',
  'exact',
  'threads',
  'retries',
  'timeout',
  'memory',
  'network',
  'secrets',
  'engine',
  'export',
  'tags',
  'owner',
]
const notForLeaves = new Set(['kind', 'outputs', 'export', 'partitions'])

/** Reads options one by one; `problems` collects what is wrong with them. */
export class OptionReader {
  readonly problems: Diagnostic[] = []
  readonly #given: GivenOptions

  constructor(given: GivenOptions) {
    this.#given = given
  }

  refuse(name: string, message: string, fix: string): void {
    const at = this.#given[name]?.at ?? null
    this.problems.push({ code: 'D020', severity: 'error', message, at, notes: [], fix })
  }

  /** `parse` gives undefined for a value it does not take. None (`null`) counts as not written. */
  read<T>(name: string, fallback: T, example: string, parse: (value: Json) => T | undefined): T {
    const given = Object.hasOwn(this.#given, name) ? this.#given[name]! : null
    if (given === null || given.value === null) return fallback
    const parsed = parse(given.value)
    if (parsed !== undefined) return parsed
    this.refuse(
      name,
      `the option '${name}' does not take ${JSON.stringify(given.value)}`,
      `write for instance ${example}`,
    )
    return fallback
  }

  checkNames(kind: string): void {
    for (const name of Object.keys(this.#given)) {
      if (name === 'partitions') {
        this.refuse(name, 'partitions are not available for Python steps', 'take the option out')
      } else if (kind !== 'asset' && notForLeaves.has(name)) {
        this.refuse(name, `@${kind} has no option '${name}'`, 'take the option out')
      } else if (name === 'severity' && kind !== 'check') {
        this.refuse(name, `@${kind} has no option 'severity'`, 'write it in @check')
      } else if (!structural.includes(name) && !operational.includes(name)) {
        const near = nearestName(name, [...structural, ...operational])
        this.refuse(
          name,
          `@${kind} has no option '${name}'`,
          near === null
            ? `the options are ${[...structural, ...operational].sort().join(', ')}`
            : `did you mean '${near}'?`,
        )
      }
    }
  }
}

export function stepOptions(options: OptionReader): StepOptions {
  return {
    refresh: options.read<Refresh | null>('refresh', null, 'refresh="1d"', (value) => asRefresh(value)),
    random: options.read('random', 'seeded', 'random="fresh"', (value) => oneOf(value, ['seeded', 'fresh'] as const)),
    afterRandom: options.read<string | null>('after_random', null, 'after_random="split"', asText),
    exact: options.read('exact', true, 'exact=False', (value) => (typeof value === 'boolean' ? value : undefined)),
    threads: options.read('threads', 1, 'threads=4', (value) => asCount(value, 1)),
    retries: options.read('retries', 0, 'retries=2', (value) => asCount(value, 0)),
    timeoutMs: options.read<number | null>('timeout', null, 'timeout="30m"', asDurationMs),
    memoryBytes: options.read<number | null>('memory', null, 'memory="4GB"', asBytes),
    network: options.read<readonly string[]>('network', [], 'network=["api.example.com"]', asHosts),
    secrets: options.read<readonly string[]>('secrets', [], 'secrets=["API_KEY"]', asTexts),
    engine: options.read('engine', 'duckdb', 'engine="duckdb"', (value) => oneOf(value, ['duckdb'] as const)),
    export: options.read<string | null>('export', null, 'export="reports/orders.csv"', asRelativePath),
    tags: options.read<readonly string[]>('tags', [], 'tags=["daily"]', asTexts),
    owner: options.read<string | null>('owner', null, 'owner="ana"', asText),
  }
}

export function asText(value: Json): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function asTexts(value: Json): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const texts = (value as readonly Json[]).filter((item) => typeof item === 'string' && item !== '')
  return texts.length === value.length ? (texts as readonly string[]) : undefined
}

export function oneOf<T extends string>(value: Json, known: readonly T[]): T | undefined {
  return known.find((each) => each === value)
}

/** Plain numbers are seconds, as the decorator's documentation says. */
function asDurationMs(value: Json): number | undefined {
  if (typeof value === 'number') return value > 0 ? Math.round(value * 1000) : undefined
  return typeof value === 'string' ? (parseDurationMs(value) ?? undefined) : undefined
}

function asRefresh(value: Json): Refresh | undefined {
  if (typeof value === 'string') return parseRefresh(value) ?? undefined
  const everyMs = asDurationMs(value)
  return everyMs === undefined ? undefined : { kind: 'every', everyMs }
}

function asBytes(value: Json): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value > 0 ? value : undefined
  return typeof value === 'string' ? (parseSizeBytes(value) ?? undefined) : undefined
}

function asCount(value: Json, least: number): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least ? value : undefined
}

/** `True` is any host. */
function asHosts(value: Json): readonly string[] | undefined {
  if (typeof value === 'boolean') return value ? ['*'] : []
  return typeof value === 'string' && value !== '' ? [value] : asTexts(value)
}

function asRelativePath(value: Json): string | undefined {
  const text = asText(value)
  const leaves = text === undefined || /^([/\\]|[A-Za-z]:)/.test(text) || text.split(/[/\\]/).includes('..')
  return leaves ? undefined : text
}
