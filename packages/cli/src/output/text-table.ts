/** Rows in columns, for people or as Markdown or CSV. Cells are untrusted text. */
import { safeText } from './output.ts'

export type TableFormat = 'table' | 'md' | 'csv'

export interface TextTable {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
}

const widest = 40

export function renderTable(table: TextTable, format: TableFormat): string {
  if (format === 'csv') return renderCsv(table)
  const rows = table.rows.map((row) => row.map((value) => cell(value)))
  return format === 'md' ? renderMarkdown(table.columns, rows) : renderPlain(table, rows)
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function renderPlain(table: TextTable, rows: readonly (readonly string[])[]): string {
  const cut = (text: string): string => {
    const safe = safeText(text).replaceAll('\n', '\\n')
    return safe.length > widest ? `${safe.slice(0, widest - 1)}…` : safe
  }
  const shown = [table.columns.map(cut), ...rows.map((row) => row.map(cut))]
  const widths = table.columns.map((_, i) => Math.max(...shown.map((row) => (row[i] ?? '').length)))
  const numeric = table.columns.map(
    (_, i) => table.rows.length > 0 && table.rows.every((row) => typeof row[i] === 'number' || row[i] === null),
  )
  const lines = shown.map((row) =>
    row
      .map((text, i) => (numeric[i] === true ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

function renderMarkdown(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const escape = (text: string): string => safeText(text).replaceAll('|', '\\|').replaceAll('\n', ' ')
  const line = (cells: readonly string[]): string => `| ${cells.map(escape).join(' | ')} |`
  return `${[line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n')}\n`
}

function renderCsv(table: TextTable): string {
  const quote = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  return [table.columns, ...table.rows].map((row) => `${row.map((value) => quote(cell(value))).join(',')}\r\n`).join('')
}
