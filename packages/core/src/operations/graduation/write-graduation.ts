/**
 * Writes what graduation made: the project's files (or drafts, where it is not proven), the proof, the map from lines to
 * cells, the merge base, and the report. Hand edits since the last graduation are never overwritten without `--force`.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CellmillError } from '../../errors.ts'
import type { Graduation, GraduationVerdict } from '../../notebook/graduation.ts'
import type { Proof } from '../../notebook/prove/proof.ts'
import type { BuiltPipeline } from './build-pipeline.ts'
import { graduationPage } from './graduation-page.ts'

export interface WriteRequest {
  readonly root: string
  readonly stateFolder: string
  readonly graduation: Graduation
  readonly verdict: GraduationVerdict
  readonly files: readonly { readonly path: string; readonly text: string }[]
  readonly asDraft: boolean
  readonly mergeBase: boolean
  readonly force: boolean
  readonly proof: Proof | null
  readonly pipeline: BuiltPipeline | null
  readonly problems: readonly string[]
}

export interface Written {
  readonly files: readonly string[]
  readonly reportPath: string
}

/** Relative to the project. */
export function proofFile(name: string): string {
  return `.cellmill/proofs/${name}.json`
}

export async function writeGraduation(request: WriteRequest): Promise<Written> {
  const { graduation, root } = request
  const { name } = graduation.notebook
  const base = mergeBaseFile(graduation)
  const target = request.asDraft ? path.join('.cellmill', 'drafts', name) : ''
  if (request.mergeBase && !request.force) await refuseEdited(request, base)
  const written: string[] = []
  const put = async (file: string, text: string): Promise<void> => {
    const absolute = path.join(root, file)
    await mkdir(path.dirname(absolute), { recursive: true })
    await writeFile(`${absolute}.tmp`, text)
    await rename(`${absolute}.tmp`, absolute)
    written.push(file)
  }
  for (const { path: file, text } of request.files) await put(path.posix.join(target, file), text)
  await putState(request, `lines/${name}.json`, JSON.stringify(graduation.lines))
  if (request.proof !== null)
    await putState(request, `proofs/${name}.json`, `${JSON.stringify(request.proof, null, 1)}\n`)
  const reportPath = `.cellmill/proofs/${name}.html`
  await putState(request, `proofs/${name}.html`, await graduationPage(request))
  if (request.mergeBase) await put(base, mergeBase(request))
  return { files: written, reportPath }
}

async function putState(request: WriteRequest, name: string, text: string): Promise<void> {
  const file = path.join(request.stateFolder, name)
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, text)
}

function mergeBaseFile(graduation: Graduation): string {
  return graduation.notebook.path.replace(/\.[^./]+$/, '') + '.graduated.json'
}

/** Committed beside the notebook: the emitted text, against which later edits of both sides are merged. */
function mergeBase(request: WriteRequest): string {
  const { graduation, verdict } = request
  const files = Object.fromEntries(graduation.files.map(({ path: file, text }) => [file, text]))
  return `${JSON.stringify({ version: 1, notebook: graduation.notebook, verdict, files }, null, 1)}\n`
}

async function refuseEdited(request: WriteRequest, baseFile: string): Promise<void> {
  const absolute = path.join(request.root, baseFile)
  const base = existsSync(absolute)
    ? (JSON.parse(await readFile(absolute, 'utf8')) as { readonly files: Readonly<Record<string, string>> })
    : null
  for (const { path: file, text } of request.graduation.files) {
    const target = path.join(request.root, file)
    if (!existsSync(target)) continue
    const now = await readFile(target, 'utf8')
    if (now === text || now === base?.files[file]) continue
    const why = base === null ? 'is there already' : 'was edited since it was graduated'
    throw new CellmillError('FILE_EXISTS', `${file} ${why}; nothing was written`, {
      hint: `cellmill graduate ${request.graduation.notebook.path} --force   replaces it; commit it first`,
      details: { file },
    })
  }
}
