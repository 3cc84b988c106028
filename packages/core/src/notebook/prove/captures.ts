/** The captures of an observed run, as python/cellmill/_notebook/capture.py leaves them: found by cell and name, never opened here. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'

export interface CapturedName {
  readonly file: string | null
  readonly digest: string | null
  readonly group: number | null
  readonly why: string | null
}

interface CapturedCell {
  readonly cell: number
  readonly rng: string
  readonly names: Readonly<Record<string, CapturedName>>
  readonly groups: readonly {
    readonly number: number
    readonly names: readonly string[]
    readonly file: string | null
    readonly why: string | null
  }[]
}

export interface Captured {
  /** Absolute path of a pickle. */
  readonly file: string
  /** Key in the pickle's dict for a name of an alias group; null when the pickle is the value. */
  readonly member: string | null
}

export class Captures {
  readonly folder: string
  readonly #cells: readonly CapturedCell[]

  constructor(folder: string, cells: readonly CapturedCell[]) {
    this.folder = folder
    this.#cells = cells
  }

  /** What `name` held once `cell` had run; `cells` are in the order in which they ran. */
  valueAfter(name: string, cell: number): Captured | { readonly why: string } {
    const position = this.#cells.findIndex((candidate) => candidate.cell === cell)
    for (let i = position; i >= 0; i--) {
      const found = this.#cells[i]!.names[name]
      if (found === undefined) continue
      if (found.file === null) return { why: found.why ?? 'it cannot be stored' }
      return { file: path.join(this.folder, found.file), member: null }
    }
    return { why: `nothing was captured of ${name}` }
  }

  /** The dict of a group of names that share mutable parts; null when they were not captured together. */
  groupAfter(names: readonly string[], cell: number): Captured | null {
    const position = this.#cells.findIndex((candidate) => candidate.cell === cell)
    for (let i = position; i >= 0; i--) {
      const group = this.#cells[i]!.groups.find((candidate) => names.every((name) => candidate.names.includes(name)))
      if (group?.file != null) return { file: path.join(this.folder, group.file), member: null }
    }
    return null
  }

  /** Generator states before a cell ran. */
  randomBefore(cell: number): string | null {
    const found = this.#cells.find((candidate) => candidate.cell === cell)
    return found === undefined ? null : path.join(this.folder, found.rng)
  }
}

export async function loadCaptures(folder: string): Promise<Captures> {
  const index = JSON.parse(await readFile(path.join(folder, 'index.json'), 'utf8')) as {
    readonly cells: readonly CapturedCell[]
  }
  return new Captures(folder, index.cells)
}
