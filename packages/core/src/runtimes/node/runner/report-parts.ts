/** A report as flat files beside `report.json`, which lists the parts in order; the same shape as Python's reports. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { StepProblem } from './step-problem.ts'

interface Part {
  readonly type: string
  readonly name: string | null
  readonly cell: null
  readonly files: Readonly<Record<string, string>>
  readonly digest: string
}

export function writeReport(folder: string, value: unknown): Readonly<Record<string, unknown>> {
  const content = typeof value === 'string' ? { text: value } : value
  if (typeof content !== 'object' || content === null)
    throw new StepProblem(
      'a report returns text, or an object with what it shows',
      "return { text: '..', metrics: {}, tables: {} }",
    )
  const { title, text, metrics, tables, html, figures } = content as Readonly<Record<string, unknown>>
  mkdirSync(folder, { recursive: true })
  const parts: Part[] = []
  const add = (type: string, name: string | null, extension: string, body: string): void => {
    const file = `${parts.length + 1}.${extension}`
    writeFileSync(path.join(folder, file), body)
    parts.push({
      type,
      name,
      cell: null,
      files: { [extension]: file },
      digest: createHash('sha256').update(body).digest('hex'),
    })
  }
  if (typeof title === 'string') add('text', 'title', 'txt', title)
  if (typeof text === 'string') add('text', null, 'md', text)
  for (const [name, rows] of entries(tables)) add('table', name, 'html', tableHtml(name, rows))
  for (const [name, svg] of entries(figures)) add('figure', name, 'svg', String(svg))
  if (typeof html === 'string') add('html', null, 'html', html)
  const measured = entries(metrics)
  if (measured.length > 0)
    add('text', 'metrics', 'txt', measured.map(([name, metric]) => `${name}: ${String(metric)}`).join('\n'))
  writeFileSync(path.join(folder, 'report.json'), JSON.stringify({ version: 1, parts }, null, 1))
  const drawn = parts.filter((part) => part.type === 'figure').map((part) => part.digest)
  return {
    parts: parts.length,
    figures: drawn,
    metrics: Object.fromEntries(measured.filter(([, metric]) => isMetric(metric))),
  }
}

function isMetric(value: unknown): boolean {
  return typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))
}

function entries(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}

const shownRows = 1000

function tableHtml(name: string, rows: unknown): string {
  const list = Array.isArray(rows) ? (rows as readonly Readonly<Record<string, unknown>>[]) : []
  const columns = [...new Set(list.flatMap((row) => Object.keys(row)))]
  const head = columns.map((column) => `<th>${escapeHtml(column)}</th>`).join('')
  const body = list
    .slice(0, shownRows)
    .map((row) => `<tr>${columns.map((column) => `<td>${escapeHtml(cell(row[column]))}</td>`).join('')}</tr>`)
  return `<table><caption>${escapeHtml(name)}</caption><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table>\n`
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'string'
    ? value
    : (JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? String(member) : member)) ?? '')
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
