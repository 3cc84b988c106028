/** Whether runs may publish to an environment. Nothing else changes. */
import { environmentName } from './find-snapshot.ts'
import type { Workspace } from './workspace.ts'

export interface HoldOptions {
  readonly environment: string | null
  readonly held: boolean
}

export async function holdEnvironment(
  workspace: Workspace,
  options: HoldOptions,
): Promise<{ readonly environment: string; readonly held: boolean }> {
  const environment = await environmentName(workspace, options.environment)
  await (await workspace.catalog()).setHold(environment, options.held, null)
  return { environment, held: options.held }
}
