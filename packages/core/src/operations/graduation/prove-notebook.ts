/**
 * `prove`: the notebook's proof against the pipeline as it now stands in the project. Edited assets differ and are shown;
 * differences that were accepted by hand, now or before, are recorded with their reason.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { CellmillError } from '../../errors.ts'
import type { Proof } from '../../notebook/prove/proof.ts'
import type { Workspace } from '../workspace.ts'
import { graduateNotebook } from './graduate-notebook.ts'
import { notebookPath } from './notebook-path.ts'
import type { GraduateAnswer } from './graduate-notebook.ts'

export interface ProveOptions {
  readonly notebook: string
  readonly cwd: string
  /** Asset to the reason why its difference is intended. */
  readonly accepted: ReadonlyMap<string, string>
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

export async function proveNotebook(workspace: Workspace, options: ProveOptions): Promise<GraduateAnswer> {
  const notebook = notebookPath(workspace.root, options)
  const base = notebook.replace(/\.[^./]+$/, '') + '.graduated.json'
  if (!existsSync(path.join(workspace.root, base))) {
    throw new CellmillError('NOT_PROVEN', `${notebook} was not graduated here`, {
      hint: `cellmill graduate ${notebook}`,
    })
  }
  const accepted = new Map([...(await acceptedBefore(workspace, notebook)), ...options.accepted])
  return graduateNotebook(workspace, {
    ...options,
    accepted,
    into: '',
    params: [],
    sources: new Map(),
    order: null,
    allowNetwork: [],
    prove: true,
    pipeline: 'existing',
    force: false,
  })
}

async function acceptedBefore(workspace: Workspace, notebook: string): Promise<ReadonlyMap<string, string>> {
  const name = path.posix.basename(notebook).replace(/\.[^.]+$/, '')
  const file = path.join(await workspace.stateFolder(), 'proofs', `${name}.json`)
  if (!existsSync(file)) return new Map()
  const proof = JSON.parse(await readFile(file, 'utf8')) as Proof
  return new Map(
    proof.values.flatMap(({ asset, verdict, cause }) =>
      verdict === 'accepted' && asset !== null ? [[asset, cause ?? '']] : [],
    ),
  )
}
