/**
 * Assets, checks, reports and effects. They are plain values: `forecast.run({ revenue: rows, params: { horizonDays: 7 } })`
 * in a test calls the function and nothing else. Options are literals, because they are read without running the file.
 */
import type { InputKind, Row } from './inputs.ts'
import type { Parameter, ProjectParameterReference } from './parameters.ts'
import type { Refresh } from './sources.ts'

export type Inputs = Readonly<Record<string, InputKind<unknown>>>
export type Parameters = Readonly<Record<string, Parameter<unknown> | ProjectParameterReference<unknown>>>

type InputValue<K> = K extends InputKind<infer T> ? T : never
type ParameterValue<P> = P extends Parameter<infer T> ? T : P extends ProjectParameterReference<infer T> ? T : never

/** What `run` gets besides its inputs. */
export interface RunContext<P extends Parameters> {
  readonly params: { readonly [K in keyof P]: ParameterValue<P[K]> }
  /** Logical time of the run. Unlike the clock it may decide results. */
  readonly runTime: Date
  /** A number in [0, 1) from a generator that is seeded per asset, so that the same inputs give the same result. */
  readonly random: () => number
  /** Values of the secrets that the asset declares. */
  readonly secrets: Readonly<Record<string, string>>
  /** For effects: the same for every attempt of one release, so that the world can be acted on once. */
  readonly idempotencyKey: string
}

export type RunArguments<I extends Inputs, P extends Parameters> = {
  readonly [K in keyof I]: InputValue<I[K]>
} & RunContext<P>

type MaybePromise<T> = T | Promise<T>

/** Rows, an object of column vectors, or bytes or the path of a written file (kind `file`), or JSON (kind `object`). */
export type Output =
  | readonly Row[]
  | Readonly<Record<string, ArrayLike<unknown>>>
  | Uint8Array
  | string
  | number
  | boolean
  | null
  | object

interface StepOptions<I extends Inputs, P extends Parameters> {
  /** @default the name of the export */
  readonly name?: string
  /** Assets and sources to read, by name. */
  readonly inputs?: I
  readonly params?: P
  /** Whether the result is worth keeping although it reads a clock, randomness or the network. */
  readonly refresh?: Refresh
  /** Retries after a failure. @default 0 */
  readonly retries?: number
  /** A duration such as `'10m'`. @default none */
  readonly timeout?: Duration
  /** A size such as `'2GB'`. @default what the machine has */
  readonly memory?: Size
  /** Hosts that the step may reach; `true` for any. @default none */
  readonly network?: boolean | readonly string[]
  /** Names of the secrets that the step gets. */
  readonly secrets?: readonly string[]
  readonly tags?: readonly string[]
  readonly description?: string
  readonly owner?: string
}

/** A number with a unit: `'90s'`, `'10m'`, `'2h'`, `'1d'`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd' | 'w'}`
/** A number with a unit: `'512MB'`, `'2GB'`. */
export type Size = `${number}${'B' | 'KB' | 'MB' | 'GB' | 'TB' | 'KiB' | 'MiB' | 'GiB' | 'TiB'}`

export interface AssetOptions<I extends Inputs, P extends Parameters> extends StepOptions<I, P> {
  /** `table` (rows or columns), `object` (JSON) or `file` (bytes or a path). @default by what `run` returns */
  readonly kind?: 'table' | 'object' | 'file'
  /** Names of several assets that one function makes; `run` then returns an object with these keys. */
  readonly outputs?: readonly string[]
  /** `fresh` draws new random numbers at every run and is never reused. @default 'seeded' */
  readonly random?: 'seeded' | 'fresh'
  /** Path below the project at which a `file` is put at each publish. */
  readonly export?: string
  readonly run: (arguments_: RunArguments<I, P>) => MaybePromise<Output>
}

export interface CheckOptions<I extends Inputs, P extends Parameters> extends StepOptions<I, P> {
  /** The asset it guards, by name. @default the only input */
  readonly asset?: string | { readonly step: 'asset' }
  /** `error` stops publishing, `warn` does not. @default 'error' */
  readonly severity?: 'error' | 'warn'
  /** True when all is well, or the rows that break the rule (none: all is well). */
  readonly run: (arguments_: RunArguments<I, P>) => MaybePromise<boolean | readonly Row[]>
}

/** What a report shows. */
export interface ReportContent {
  readonly title?: string
  /** Markdown. */
  readonly text?: string
  readonly metrics?: Readonly<Record<string, number | string>>
  readonly tables?: Readonly<Record<string, readonly Row[]>>
  /** Shown in a frame of its own, without scripts. */
  readonly html?: string
  /** SVG texts by name. */
  readonly figures?: Readonly<Record<string, string>>
}

export interface ReportOptions<I extends Inputs, P extends Parameters> extends StepOptions<I, P> {
  readonly run: (arguments_: RunArguments<I, P>) => MaybePromise<ReportContent | string>
}

export interface EffectOptions<I extends Inputs, P extends Parameters> extends StepOptions<I, P> {
  readonly run: (arguments_: RunArguments<I, P>) => MaybePromise<unknown>
}

export interface StepValue<Kind extends string, I extends Inputs, P extends Parameters, Result> {
  readonly step: Kind
  readonly inputs: I
  readonly params: P
  readonly options: Readonly<Record<string, unknown>>
  readonly run: (arguments_: RunArguments<I, P>) => MaybePromise<Result>
}

/**
 * Something the pipeline makes.
 *
 * @example
 * export const forecast = asset({
 *   inputs: { revenue: table<{ day: Date; revenue: number }>({ columns: ['day', 'revenue'] }) },
 *   params: { horizonDays: int(30) },
 *   run({ revenue, params }) {
 *     return revenue.slice(-params.horizonDays)
 *   },
 * })
 */
export function asset<const I extends Inputs = {}, const P extends Parameters = {}>(
  options: AssetOptions<I, P>,
): StepValue<'asset', I, P, Output> {
  return step('asset', options)
}

/** An assertion on an asset; it runs as a step of its own and, with severity `error`, stops publishing. */
export function check<const I extends Inputs = {}, const P extends Parameters = {}>(
  options: CheckOptions<I, P>,
): StepValue<'check', I, P, boolean | readonly Row[]> {
  return step('check', options)
}

/** A leaf that shows figures, text and metrics. */
export function report<const I extends Inputs = {}, const P extends Parameters = {}>(
  options: ReportOptions<I, P>,
): StepValue<'report', I, P, ReportContent | string> {
  return step('report', options)
}

/** A leaf that acts on the world, once for each published release. */
export function effect<const I extends Inputs = {}, const P extends Parameters = {}>(
  options: EffectOptions<I, P>,
): StepValue<'effect', I, P, unknown> {
  return step('effect', options)
}

function step<Kind extends string, I extends Inputs, P extends Parameters, Result>(
  kind: Kind,
  options: StepOptions<I, P> & { readonly run: (arguments_: RunArguments<I, P>) => MaybePromise<Result> },
): StepValue<Kind, I, P, Result> {
  const { inputs, params, run, ...others } = options
  return { step: kind, inputs: inputs ?? ({} as I), params: params ?? ({} as P), options: others, run }
}
