/** Which environment a command means: named, `CELLMILL_ENV`, the git branch's by configuration, else `dev`. Never prod by chance. */
import { CellmillError } from '../errors.ts'
import { nearestName } from '../model/nearest.ts'
import type { EnvironmentDefinition, ProjectConfig } from '../model/project.ts'
import { currentBranch } from '../project/git.ts'

export interface EnvironmentChoice {
  readonly named: string | null
  readonly config: ProjectConfig
  readonly root: string
  readonly variables: Readonly<Record<string, string | undefined>>
}

export function chooseEnvironment(choice: EnvironmentChoice): EnvironmentDefinition {
  const fromVariable = choice.variables['CELLMILL_ENV']
  const name =
    choice.named ?? (fromVariable === undefined || fromVariable === '' ? environmentOfBranch(choice) : fromVariable)
  const found = choice.config.environments.find((environment) => environment.name === name)
  if (found !== undefined) return found
  const names = choice.config.environments.map((environment) => environment.name)
  const near = nearestName(name, names)
  throw new CellmillError('UNKNOWN_NAME', `there is no environment called '${name}'`, {
    hint:
      near === null
        ? `add  ${name}: {}  to environments in cellmill.config.ts; now there are ${names.join(', ')}`
        : `did you mean '${near}'?`,
    details: { name, nearest: near },
  })
}

function environmentOfBranch(choice: EnvironmentChoice): string {
  if (Object.keys(choice.config.branches).length === 0) return 'dev'
  const branch = currentBranch(choice.root)
  return (branch === null ? undefined : choice.config.branches[branch]) ?? 'dev'
}
