/** What a report showed, from its `report.json`: parts in order with the notebook cell they came from. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'

export interface ShownPart {
  readonly type: string
  readonly cell: number | null
  /** Digest of the value or of the figure's artists; null for printed text. */
  readonly digest: string | null
  readonly text: string | null
  readonly html: string | null
}

interface StoredPart {
  readonly type: string
  readonly cell: number | null
  readonly digest: string | null
  readonly files: Readonly<Record<string, string>>
}

const maxTextBytes = 5_000_000

/** Empty when the folder is no report's. */
export async function readShown(folder: string): Promise<readonly ShownPart[]> {
  const manifest = path.join(folder, 'report.json')
  if (!existsSync(manifest)) return []
  const { parts } = JSON.parse(await readFile(manifest, 'utf8')) as { readonly parts: readonly StoredPart[] }
  return Promise.all(
    parts.map(async ({ type, cell, digest, files }) => ({
      type,
      cell,
      digest,
      text: await readPart(folder, files['text']),
      html: await readPart(folder, files['html']),
    })),
  )
}

/** Names come from the step's process. */
async function readPart(folder: string, name: string | undefined): Promise<string | null> {
  if (name === undefined || !/^[\w.-]+$/.test(name)) return null
  return (await readFile(path.join(folder, name))).subarray(0, maxTextBytes).toString('utf8')
}
