/**
 * The project as it would be after graduation, in a folder of its own: a copy with the new files and sources. Proofs run
 * there; nothing of the user's project is touched before the verdict.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Graduation } from '../../notebook/graduation.ts'
import { copyTree } from '../../notebook/observe/copy-tree.ts'
import { addSources } from './edit-config.ts'
import type { NewSource } from './edit-config.ts'

const configFile = 'cellmill.config.ts'

export interface Staging {
  readonly root: string
  /** Folder to make. */
  readonly target: string
  readonly signal: AbortSignal
}

/** With null the project is staged as it is. */
export async function stageProject(staging: Staging, graduation: Graduation | null): Promise<string> {
  const { root, target, signal } = staging
  await copyTree(root, target, undefined, signal)
  for (const { path: name, text } of graduation === null ? [] : await projectFiles(root, graduation)) {
    const file = path.join(target, name)
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  return target
}

/** The map from written lines to cells, by which what steps show is attributed. */
export async function stageLines(stateFolder: string, graduation: Graduation): Promise<void> {
  const folder = path.join(stateFolder, 'lines')
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, `${graduation.notebook.name}.json`), JSON.stringify(graduation.lines))
}

/** Every file that graduation writes into the project, with its final text. */
export async function projectFiles(
  root: string,
  graduation: Graduation,
): Promise<readonly { readonly path: string; readonly text: string }[]> {
  const config = await readFile(path.join(root, configFile), 'utf8')
  const edited = addSources(config, graduation.sources.map(newSource))
  return edited === config ? graduation.files : [...graduation.files, { path: configFile, text: edited }]
}

function newSource(source: Graduation['sources'][number]): NewSource {
  const isAddress = /^https?:\/\//.test(source.path)
  const call = isAddress ? 'http' : 'file'
  return {
    name: source.name,
    value: `${call}('${source.path.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}')`,
    imports: call,
  }
}
