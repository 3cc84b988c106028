/**
 * Resolving parameters: run, then environment, then project, then default. Values are converted to the type of the
 * default or refused; nothing is guessed.
 */
import type { Json } from '../canonical.ts'
import { CellmillError } from '../errors.ts'
import { nearestName } from './nearest.ts'
import type { EnvironmentDefinition, ParameterType, Project, StepDefinition } from './project.ts'
import { NameIndex } from './references.ts'

export interface ResolvedParameter {
  readonly name: string
  readonly type: ParameterType
  readonly value: Json
  readonly from: 'run' | 'environment' | 'variable' | 'default'
}

export interface ResolvedParameters {
  readonly project: ReadonlyMap<string, ResolvedParameter>
  /** By step id, then name. */
  readonly own: ReadonlyMap<string, ReadonlyMap<string, ResolvedParameter>>
}

/** `given` maps `name` or `asset.name` to text, as from `--param`. Throws PARAMETER_INVALID or UNKNOWN_NAME. */
export function resolveParameters(
  project: Pick<Project, 'parameters' | 'steps'>,
  environment: EnvironmentDefinition | null,
  given: ReadonlyMap<string, string>,
  variables: Readonly<Record<string, string | undefined>>,
): ResolvedParameters {
  const targets = assignGiven(project, given)
  const fromEnvironment = environment?.parameters ?? {}
  const resolved = new Map<string, ResolvedParameter>()
  for (const parameter of project.parameters) {
    const { name, type } = parameter
    const text = targets.project.get(name)
    const variable = parameter.fromEnv === null ? undefined : variables[parameter.fromEnv]
    if (text !== undefined) resolved.set(name, { name, type, value: parseParameter(name, type, text), from: 'run' })
    else if (name in fromEnvironment) {
      resolved.set(name, { name, type, value: checkParameter(name, type, fromEnvironment[name]!), from: 'environment' })
    } else if (variable !== undefined)
      resolved.set(name, { name, type, value: parseParameter(name, type, variable), from: 'variable' })
    else resolved.set(name, { name, type, value: parameter.default, from: 'default' })
  }
  const own = new Map<string, ReadonlyMap<string, ResolvedParameter>>()
  for (const step of project.steps) {
    if (step.parameters.length > 0) own.set(step.id, ownParameters(step, targets.own.get(step.id), fromEnvironment))
  }
  return { project: resolved, own }
}

function ownParameters(
  step: StepDefinition,
  given: ReadonlyMap<string, string> | undefined,
  fromEnvironment: Readonly<Record<string, Json>>,
): ReadonlyMap<string, ResolvedParameter> {
  const values = new Map<string, ResolvedParameter>()
  for (const { name, type, default: fallback, required } of step.parameters) {
    const text = given?.get(name)
    const key = `${step.id}.${name}`
    if (text !== undefined) values.set(name, { name, type, value: parseParameter(key, type, text), from: 'run' })
    else if (key in fromEnvironment) {
      values.set(name, { name, type, value: checkParameter(key, type, fromEnvironment[key]!), from: 'environment' })
    } else if (required) {
      throw new CellmillError('PARAMETER_INVALID', `'${step.id}' needs a value for its parameter '${name}'`, {
        hint: `--param ${key}=VALUE, or give it a default`,
      })
    } else values.set(name, { name, type, value: fallback, from: 'default' })
  }
  return values
}

interface Assigned {
  readonly project: Map<string, string>
  readonly own: Map<string, Map<string, string>>
}

function assignGiven(project: Pick<Project, 'parameters' | 'steps'>, given: ReadonlyMap<string, string>): Assigned {
  const assigned: Assigned = { project: new Map(), own: new Map() }
  if (given.size === 0) return assigned
  const projectNames = new Set(project.parameters.map((parameter) => parameter.name))
  const ownNames = new Map<string, { step: string; name: string }>()
  for (const step of project.steps) {
    for (const parameter of step.parameters)
      ownNames.set(`${step.id}.${parameter.name}`, { step: step.id, name: parameter.name })
  }
  const index = new NameIndex(ownNames.keys())
  for (const [key, text] of given) {
    if (projectNames.has(key)) {
      assigned.project.set(key, text)
      continue
    }
    const resolution = index.resolve(key)
    if (resolution.type === 'found') {
      const { step, name } = ownNames.get(resolution.name)!
      if (!assigned.own.has(step)) assigned.own.set(step, new Map())
      assigned.own.get(step)!.set(name, text)
      continue
    }
    if (resolution.type === 'ambiguous') {
      throw new CellmillError(
        'UNKNOWN_NAME',
        `several assets have a parameter '${key}': ${resolution.names.join(', ')}`,
        {
          hint: `--param ${resolution.names[0]!}=${text}`,
        },
      )
    }
    const near = nearestName(key, [...projectNames, ...ownNames.keys()])
    throw new CellmillError('UNKNOWN_NAME', `there is no parameter called '${key}'`, {
      hint: near === null ? 'cellmill plan -v lists the parameters' : `did you mean '${near}'?`,
    })
  }
  return assigned
}

const patterns: Readonly<Partial<Record<ParameterType, RegExp>>> = {
  int: /^[+-]?\d+$/,
  float: /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/,
  date: /^\d{4}-\d{2}-\d{2}$/,
  datetime: /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$/,
}

/** Text to value. Integers beyond 2^53 are refused, so that nothing is rounded on the way. */
export function parseParameter(name: string, type: ParameterType, text: string): Json {
  const refuse = (): never => {
    throw new CellmillError('PARAMETER_INVALID', `parameter '${name}' takes ${article(type)}, not '${text}'`, {
      hint: `--param ${name}=${example(type)}`,
      details: { name, type, given: text },
    })
  }
  if (type === 'str') return text
  if (type === 'bool') {
    if (/^(true|1|yes|on)$/i.test(text)) return true
    if (/^(false|0|no|off)$/i.test(text)) return false
    return refuse()
  }
  if (type === 'json') {
    try {
      return JSON.parse(text) as Json
    } catch {
      // Any text that is not JSON is refused with the same message.
      return refuse()
    }
  }
  if (!patterns[type]!.test(text)) return refuse()
  if (type === 'date' || type === 'datetime')
    return Number.isNaN(Date.parse(text)) || !isRealDay(text) ? refuse() : text
  const value = Number(text)
  if (type === 'int' && !Number.isSafeInteger(value)) return refuse()
  return value
}

function isRealDay(text: string): boolean {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number)
  return new Date(Date.UTC(year!, month! - 1, day)).getUTCDate() === day
}

/** A value that is JSON already (configuration, environment). */
function checkParameter(name: string, type: ParameterType, value: Json): Json {
  if (type === 'json') return value
  const fits =
    (type === 'int' && Number.isSafeInteger(value)) ||
    (type === 'float' && typeof value === 'number') ||
    (type === 'bool' && typeof value === 'boolean') ||
    (['str', 'date', 'datetime'].includes(type) && typeof value === 'string')
  if (fits) return type === 'str' || typeof value !== 'string' ? value : parseParameter(name, type, value)
  throw new CellmillError(
    'PARAMETER_INVALID',
    `parameter '${name}' takes ${article(type)}, not ${JSON.stringify(value)}`,
    {
      hint: `write for instance ${example(type)} in cellmill.config.ts`,
    },
  )
}

function article(type: ParameterType): string {
  const words: Record<ParameterType, string> = {
    int: 'a whole number',
    float: 'a number',
    bool: 'true or false',
    str: 'text',
    date: 'a date',
    datetime: 'an instant',
    json: 'JSON',
  }
  return words[type]
}

function example(type: ParameterType): string {
  const words: Record<ParameterType, string> = {
    int: '3',
    float: '1.5',
    bool: 'true',
    str: 'text',
    date: '2024-01-31',
    datetime: '2024-01-31T06:00:00Z',
    json: '[1,2]',
  }
  return words[type]
}
