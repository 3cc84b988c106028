/** Runs by what a person types: `@last`, a full id, or its unique beginning or end. */
import type { RunRecord } from '../catalog/catalog.ts'
import { CellmillError } from '../errors.ts'
import type { Workspace } from './workspace.ts'

const searched = 1000

export async function findRun(workspace: Workspace, reference: string): Promise<RunRecord> {
  const runs = await (await workspace.catalog()).runs(searched)
  if (runs.length === 0) throw new CellmillError('UNKNOWN_NAME', 'nothing was run here yet', { hint: 'cellmill run' })
  if (reference === '@last') return runs[0]!
  const found = runs.filter(({ id }) => id.startsWith(reference) || (reference.length >= 4 && id.endsWith(reference)))
  if (found.length === 1) return found[0]!
  const hint = 'cellmill status shows the last runs; @last is the newest'
  throw new CellmillError(
    'UNKNOWN_NAME',
    found.length === 0 ? `there is no run '${reference}'` : `'${reference}' is the start of ${found.length} runs`,
    { hint },
  )
}

/** The short form that people see: the random end, since beginnings are times and look alike. */
export function shortId(id: string): string {
  return id.slice(-6)
}
