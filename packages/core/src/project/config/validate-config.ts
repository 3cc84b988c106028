/**
 * From the configuration's value to `ProjectConfig`, with everything that is wrong as D004 diagnostics at once. Only what
 * is valid gets through; a problem never stops the look at the rest.
 */
import { availableParallelism } from 'node:os'
import path from 'node:path'
import type { ConfigInput, ParameterInput } from '@cellmill/sdk'
import type { Json } from '../../canonical.ts'
import type { Diagnostic } from '../../diagnostics.ts'
import { nearestName } from '../../model/nearest.ts'
import type { EnvironmentDefinition, ProjectConfig, ProjectParameter } from '../../model/project.ts'
import { configFile } from '../find-project.ts'
import { configSchema, knownKeys } from './config-schema.ts'
import { escapes } from './config-context.ts'
import type { ConfigContext, Report } from './config-context.ts'
import { defaultStateFolder } from './state-folder.ts'
import { resolveSources } from './resolve-sources.ts'

export interface ValidatedConfig {
  readonly config: ProjectConfig
  readonly diagnostics: readonly Diagnostic[]
}

export function validateConfig(value: Json | undefined, context: ConfigContext): ValidatedConfig {
  const diagnostics: Diagnostic[] = []
  const report: Report = (at, message, fix, code = 'D004') => {
    diagnostics.push({ code, severity: 'error', message, at: context.locate(at), notes: [], fix })
  }
  const parsed = configSchema.safeParse(value)
  if (!parsed.success) {
    for (const issue of parsed.error.issues) reportIssue(issue, value, report)
    return { config: emptyConfig(context.root), diagnostics: inOrder(diagnostics) }
  }
  const config = resolveConfig(parsed.data, context, report)
  return { config, diagnostics: inOrder(diagnostics) }
}

function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const rank = ({ at }: Diagnostic): number => (at === null ? 0 : at.line * 10_000 + at.column)
  return [...diagnostics].sort((a, b) => rank(a) - rank(b))
}

/** What the rest of the project is read with while the configuration is wrong. */
export function emptyConfig(root: string): ProjectConfig {
  return {
    name: path.basename(root),
    sources: [],
    parameters: [],
    environments: environmentsOf({}),
    branches: {},
    state: defaultStateFolder(root),
    parallel: availableParallelism(),
  }
}

function resolveConfig(valid: ConfigInput, context: ConfigContext, report: Report): ProjectConfig {
  const sources = resolveSources(valid.sources ?? {}, context, report)
  const environments = environmentsOf(valid.environments ?? {})
  checkEnvironments(valid, environments, report)
  return {
    name: valid.name ?? path.basename(context.root),
    sources,
    parameters: parametersOf(valid.parameters ?? {}, context, report),
    environments,
    branches: valid.branches ?? {},
    state: valid.state === undefined ? defaultStateFolder(context.root) : path.resolve(context.root, valid.state),
    parallel: valid.parallel ?? availableParallelism(),
  }
}

function environmentsOf(given: NonNullable<ConfigInput['environments']>): readonly EnvironmentDefinition[] {
  const names = [...new Set(['dev', 'prod', ...Object.keys(given)])]
  return names.map((name) => {
    const environment = given[name] ?? {}
    return {
      name,
      parameters: environment.parameters ?? {},
      sources: environment.sources ?? {},
      base: environment.base ?? null,
      publishing: environment.publishing ?? 'all',
      sandbox: environment.sandbox ?? (name === 'prod' ? 'require' : 'auto'),
      strict: environment.strict ?? false,
    }
  })
}

const environmentName = /^[A-Za-z][\w.-]{0,62}$/
const parameterName = /^[A-Za-z_]\w*$/

function checkEnvironments(valid: ConfigInput, environments: readonly EnvironmentDefinition[], report: Report): void {
  const names = environments.map((environment) => environment.name)
  const sources = valid.sources ?? {}
  for (const { name, base, sources: overrides } of environments) {
    const at = ['environments', name]
    if (!environmentName.test(name)) {
      report(
        at,
        `'${name}' cannot be the name of an environment`,
        'use letters, digits, _ . and -, such as staging',
        'D014',
      )
    }
    if (base !== null && (base === name || !names.includes(base))) {
      report(
        [...at, 'base'],
        `there is no other environment called '${base}'`,
        meant(
          base,
          names.filter((other) => other !== name),
        ),
      )
    }
    for (const [source, location] of Object.entries(overrides)) {
      const definition = sources[source]
      if (definition === undefined) {
        report([...at, 'sources', source], `there is no source called '${source}'`, meant(source, Object.keys(sources)))
      } else if (
        definition.type === 'http' ? !/^https?:\/\//.test(location) : escapes(location) && definition.outside !== true
      ) {
        const fix =
          definition.type === 'http'
            ? 'write an address that starts with https://'
            : `add  outside: true  to the source '${source}'`
        report([...at, 'sources', source], `'${location}' does not fit the source '${source}'`, fix)
      }
    }
  }
  for (const [branch, environment] of Object.entries(valid.branches ?? {})) {
    if (!names.includes(environment)) {
      report(['branches', branch], `there is no environment called '${environment}'`, meant(environment, names))
    }
  }
}

function parametersOf(
  given: NonNullable<ConfigInput['parameters']>,
  context: ConfigContext,
  report: Report,
): readonly ProjectParameter[] {
  return Object.entries(given).map(([name, parameter]) => {
    const at = ['parameters', name]
    if (!parameterName.test(name)) {
      report(at, `'${name}' cannot be the name of a parameter`, 'use letters, digits and _, such as min_total', 'D014')
    }
    const isVariable = typeof parameter === 'object' && 'variable' in parameter
    const { type, value } = typedDefault(isVariable ? parameter.fallback : parameter)
    return { name, type, default: value, fromEnv: isVariable ? parameter.variable : null, place: context.locate(at) }
  })
}

function typedDefault(parameter: ParameterInput): {
  readonly type: ProjectParameter['type']
  readonly value: Json
} {
  if (typeof parameter === 'object') return { type: parameter.type, value: parameter.default }
  if (typeof parameter === 'boolean') return { type: 'bool', value: parameter }
  if (typeof parameter === 'string') return { type: 'str', value: parameter }
  return { type: Number.isSafeInteger(parameter) ? 'int' : 'float', value: parameter }
}

export function meant(wanted: string, known: readonly string[]): string {
  const near = nearestName(wanted, known)
  if (near !== null) return `did you mean '${near}'?`
  return known.length === 0 ? `remove it, or declare '${wanted}'` : `use one of ${known.slice(0, 12).join(', ')}`
}

interface Issue {
  readonly code: string
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly keys?: readonly string[]
  readonly values?: readonly unknown[]
  readonly errors?: readonly (readonly Issue[])[]
}

function reportIssue(issue: Issue, value: Json | undefined, report: Report): void {
  const dotted = issue.path.map(String).join('.')
  const given = at(value, issue.path)
  if (issue.code === 'unrecognized_keys') {
    const type = (given as { readonly type?: Json } | undefined)?.type
    const known = knownKeys(issue.path, type)
    for (const key of issue.keys ?? []) {
      const where = issue.path.length === 0 ? 'the configuration' : `'${dotted}'`
      report(
        [...issue.path, key],
        `${where} has no option '${key}'`,
        known === null ? `remove '${key}'` : meant(key, known),
      )
    }
    return
  }
  if (issue.path.length === 0) {
    report(
      [],
      'the file does not export a configuration',
      `write  export default defineConfig({ .. })  in ${configFile}`,
    )
    return
  }
  if (issue.path[0] === 'sources' && issue.path.length === 2 && typeof given !== 'object') {
    report(
      issue.path,
      `'${dotted}' is ${shown(given)}, not a source`,
      `write  file('PATH')  around it, or http() or sqlite()`,
    )
    return
  }
  if (issue.code === 'invalid_value' && issue.values !== undefined) {
    const choices = issue.values.map(String)
    report(
      issue.path,
      `'${dotted}' is ${shown(given)}`,
      typeof given === 'string' ? meant(given, choices) : `use one of ${choices.join(', ')}`,
    )
    return
  }
  report(issue.path, `'${dotted}' is ${shown(given)}: ${plainMessage(issue)}`, fixFor(issue.path))
}

function plainMessage(issue: Issue): string {
  const inner = issue.code === 'invalid_union' ? issue.errors?.at(-1)?.[0] : undefined
  return (inner ?? issue).message.replace(/^Invalid input: /, '').replace(/^./, (letter) => letter.toLowerCase())
}

function fixFor(at: readonly PropertyKey[]): string {
  const key = String(at.at(-1))
  if (key === 'refresh') return "write 'always', 'never' or a duration such as '1h'"
  if (key === 'url') return "write an address such as 'https://example.org/rates.csv'"
  if (at[0] === 'parameters') return "write a literal, or int(3), float(0.5), bool(true), str('x'), date('2024-01-31')"
  return `change '${key}' in ${configFile}`
}

function shown(value: Json | undefined): string {
  if (value === undefined) return 'missing'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

function at(value: Json | undefined, keys: readonly PropertyKey[]): Json | undefined {
  let found: Json | undefined = value
  for (const key of keys) {
    if (typeof found !== 'object' || found === null) return undefined
    found = (found as { readonly [key: string]: Json | undefined })[String(key)]
  }
  return found
}
