/** Maps from lines of graduated modules to notebook cells. They only decorate errors and reports, so a damaged map is no map. */
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'

export interface CellLine {
  /** Project-relative path of the module. */
  readonly file: string
  readonly line: number
  /** 0-based index of the notebook cell. */
  readonly cell: number
}

const maxMapBytes = 16 * 1024 * 1024

/** The lines of `files` that came from a notebook. */
export async function readCellLines(folder: string, files: readonly string[]): Promise<readonly CellLine[]> {
  const wanted = new Set(files)
  const lines: CellLine[] = []
  for (const name of await namesIn(folder)) {
    if (!name.endsWith('.json')) continue
    for (const line of await readMap(path.join(folder, name))) if (wanted.has(line.file)) lines.push(line)
  }
  return lines
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch {
    // Projects that were not graduated have no maps.
    return []
  }
}

async function readMap(file: string): Promise<readonly CellLine[]> {
  try {
    if ((await stat(file)).size > maxMapBytes) return []
    const parsed: unknown = JSON.parse(await readFile(file, 'utf8'))
    const entries: unknown = Array.isArray(parsed) ? parsed : (parsed as { lines?: unknown } | null)?.lines
    return Array.isArray(entries)
      ? entries.filter(isCellLine).map(({ file, line, cell }) => ({ file, line, cell }))
      : []
  } catch {
    // See above: without the map errors name the file and line only.
    return []
  }
}

function isCellLine(value: unknown): value is CellLine {
  const entry = value as Partial<Record<keyof CellLine, unknown>> | null
  return (
    typeof entry === 'object' &&
    entry !== null &&
    typeof entry.file === 'string' &&
    Number.isSafeInteger(entry.line) &&
    Number.isSafeInteger(entry.cell)
  )
}
