/** Parameters of the project from the configuration and from modules, as one list; and every use of one that is not there. */
import type { Diagnostic, Place } from '../diagnostics.ts'
import { canonicalJson } from '../canonical.ts'
import { nearestName } from '../model/nearest.ts'
import type { EnvironmentDefinition, ProjectParameter, StepDefinition } from '../model/project.ts'

export interface MergedParameters {
  readonly parameters: readonly ProjectParameter[]
  readonly diagnostics: readonly Diagnostic[]
}

/** Declared once; again with the same default is the same declaration, with another one a mistake. */
export function mergeParameters(declared: readonly ProjectParameter[]): MergedParameters {
  const byName = new Map<string, ProjectParameter>()
  const diagnostics: Diagnostic[] = []
  for (const parameter of declared) {
    const first = byName.get(parameter.name)
    if (first === undefined) byName.set(parameter.name, parameter)
    else if (first.type !== parameter.type || canonicalJson(first.default) !== canonicalJson(parameter.default)) {
      const where = first.place === null ? 'the configuration' : `${first.place.file}:${first.place.line}`
      diagnostics.push({
        code: 'D022',
        severity: 'error',
        message: `the parameter '${parameter.name}' has the default ${JSON.stringify(parameter.default)} here and ${JSON.stringify(first.default)} in ${where}`,
        at: parameter.place,
        notes: [],
        fix: 'keep one of them; every module of the project can read it',
      })
    }
  }
  return { parameters: [...byName.values()], diagnostics }
}

export interface ParameterUse {
  readonly name: string
  readonly place: Place
  /** How the language declares one of the step's own, to be shown. */
  readonly declaration: string
}

export const runTimeParameter = 'run_time'

export function unknownUses(uses: readonly ParameterUse[], parameters: readonly ProjectParameter[]): Diagnostic[] {
  const known = new Set([runTimeParameter, ...parameters.map((parameter) => parameter.name)])
  return uses
    .filter((use) => !known.has(use.name))
    .map(({ name, place, declaration }) => {
      const near = nearestName(name, known)
      return {
        code: 'D024',
        severity: 'error',
        message: `there is no parameter called '${name}'`,
        at: place,
        notes: [],
        fix: near === null ? declaration : `did you mean '${near}'?`,
      }
    })
}

/** Keys of `environments.X.parameters` that name nothing. */
export function unknownOverrides(
  environments: readonly EnvironmentDefinition[],
  steps: readonly StepDefinition[],
  parameters: readonly ProjectParameter[],
): readonly { readonly environment: string; readonly name: string; readonly near: string | null }[] {
  const known = [
    ...parameters.map((parameter) => parameter.name),
    ...steps.flatMap((step) => step.parameters.map((parameter) => `${step.id}.${parameter.name}`)),
  ]
  const names = new Set(known)
  return environments.flatMap((environment) =>
    Object.keys(environment.parameters)
      .filter((name) => !names.has(name))
      .map((name) => ({ environment: environment.name, name, near: nearestName(name, known) })),
  )
}
