/**
 * Parameters: typed, named inputs with a default. The type is that of the default and stays; values given at run time
 * are converted to it or refused.
 */

export interface Parameter<T> {
  readonly type: 'int' | 'float' | 'bool' | 'str' | 'date' | 'json'
  readonly default: T
}

/** A whole number: `int(30)`. */
export function int(value: number): Parameter<number> {
  return { type: 'int', default: value }
}

/** A number: `float(0.5)`. */
export function float(value: number): Parameter<number> {
  return { type: 'float', default: value }
}

/** True or false: `bool(false)`. */
export function bool(value: boolean): Parameter<boolean> {
  return { type: 'bool', default: value }
}

/** Text: `str('EUR')`. */
export function str(value: string): Parameter<string> {
  return { type: 'str', default: value }
}

/** A day, as text `YYYY-MM-DD`: `date('2024-01-31')`. */
export function date(value: string): Parameter<string> {
  return { type: 'date', default: value }
}

/** A project parameter read from an environment variable when a plan is made. */
export interface VariableParameter {
  readonly variable: string
  readonly fallback: ParameterInput
}

/** A parameter of the project as written in the configuration: a literal, or `int()`, `float()`, `bool()`, `str()`, `date()`. */
export type ParameterInput = string | number | boolean | Parameter<string | number | boolean>

/**
 * The value of an environment variable, or the fallback where it is not set. This is the only way in which an environment
 * variable reaches a step: `parameters: { region: fromEnv('REGION', 'eu') }`.
 */
export function fromEnv(variable: string, fallback: ParameterInput): VariableParameter {
  return { variable, fallback }
}

/** A parameter of the project, read by this asset. */
export interface ProjectParameterReference<T> {
  readonly project: string
  /** Only for the type checker: never set. */
  readonly value?: T
}

/** Reads a parameter of the project: `params: { minTotal: fromProject<number>('min_total') }`. */
export function fromProject<T extends string | number | boolean>(name: string): ProjectParameterReference<T> {
  return { project: name }
}
