/** `verify`: every stored byte against its digest, every reference of the catalog; what is damaged is taken out of reuse. */
import { verifyState } from '../catalog/verify-state.ts'
import type { VerifiedState } from '../catalog/verify-state.ts'
import type { Workspace } from './workspace.ts'

export async function verifyProject(workspace: Workspace, signal: AbortSignal): Promise<VerifiedState> {
  return verifyState({ catalog: await workspace.catalog(), store: await workspace.store(), repair: true, signal })
}
