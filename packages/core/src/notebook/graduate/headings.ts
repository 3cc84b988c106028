/** Docstrings and names from the Markdown between cells. */
import type { NotebookDocument } from '../document.ts'

/** The Markdown directly above a cell that was not told yet, as prose: no HTML, images or rules. */
export function proseAbove(document: NotebookDocument, cell: number, told: Set<number>): string {
  const parts: string[] = []
  for (let index = cell - 1; index >= 0; index -= 1) {
    const above = document.cells[index]
    if (above === undefined || (above.type === 'code' && above.source.trim() !== '')) break
    if (above.type !== 'markdown' || told.has(index)) continue
    told.add(index)
    parts.unshift(plainProse(above.source))
  }
  return parts.filter((part) => part !== '').join('\n\n')
}

/** Index of the Markdown cell whose heading is in force. */
export function headingCell(document: NotebookDocument, cell: number): number | null {
  for (let index = cell - 1; index >= 0; index -= 1) {
    const above = document.cells[index]
    if (above?.type === 'markdown' && /^\s*#{1,6}\s/mu.test(above.source)) return index
  }
  return null
}

/** The heading in force at a cell. */
export function headingOf(document: NotebookDocument, cell: number): string | null {
  for (let index = cell - 1; index >= 0; index -= 1) {
    const above = document.cells[index]
    if (above?.type !== 'markdown') continue
    const found = [...above.source.matchAll(/^\s*(#{1,6})\s+(.+?)\s*#*\s*$/gmu)].at(-1)
    if (found !== undefined) return plainProse(found[2] ?? '')
  }
  return null
}

/** The cell that opens the notebook with a title, as the module's docstring. */
export function titleOf(
  document: NotebookDocument,
): { readonly cell: number; readonly title: string; readonly rest: string } | null {
  let codeCells = 0
  for (const cell of document.cells) {
    if (cell.type === 'code' && cell.source.trim() !== '') codeCells += 1
    // Imports often stand above the title.
    if (codeCells > 1) return null
    if (cell.type !== 'markdown') continue
    const found = /^\s*#\s+(.+?)\s*#*\s*$/mu.exec(cell.source)
    if (found === null) continue
    const rest = plainProse(cell.source.slice(found.index + found[0].length))
    return { cell: cell.index, title: plainProse(found[1] ?? ''), rest }
  }
  return null
}

function plainProse(markdown: string): string {
  const lines = markdown
    .replaceAll('\r', '')
    .replaceAll(/!\[[^\]]*\]\([^)]*\)/gu, '')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/gu, '$1')
    .replaceAll(/<[^>\n]+>/gu, '')
    .split('\n')
    .map((line) =>
      line
        .replace(/^\s*#{1,6}\s+/u, '')
        .replaceAll(/[*_]{2,3}([^*_]+)[*_]{2,3}/gu, '$1')
        .trimEnd(),
    )
    .filter((line) => !/^\s*([-*_]\s*){3,}$/u.test(line))
  return lines
    .join('\n')
    .replaceAll(/\n{3,}/gu, '\n\n')
    .trim()
}

/** Lines of a docstring; backslashes and quotes cannot end or change it. */
export function docstringLines(prose: string): string[] {
  const safe = prose.replaceAll('\\', '\\\\').replaceAll('"""', "'''").replaceAll('\0', '')
  const lines = safe.split('\n').slice(0, 40)
  const first = lines[0] ?? ''
  const ended = /[.!?:;)\]"'`]$/u.test(first) || lines.length > 1 ? first : `${first}.`
  if (lines.length <= 1) return [`"""${ended.endsWith('"') ? `${ended} ` : ended}"""`]
  return [`"""${ended}`, ...lines.slice(1), '"""']
}
