/** Statements of the notebook as lines of the written module: the author's own text, edited by spans. */
import type { NotebookDocument } from '../document.ts'
import type { Unit, Units } from '../dataflow/units.ts'
import { displayFunction } from './display-function.ts'
import { globalNames } from './global-statements.ts'
import { statementText, type TextEdit } from './python-text.ts'
import type { Roles } from './roles.ts'
import type { SourcePlan } from './sources.ts'
import type { WrittenLine } from './write-module.ts'

/** The statement's text, for looking at; edits are applied only when it is written. */
export function textReader(document: NotebookDocument): (unit: Unit) => string {
  const known = new Map<number, string>()
  return (unit) => {
    const found = known.get(unit.id)
    if (found !== undefined) return found
    const source = document.cells[unit.cell]?.source ?? ''
    const text = statementText(source, unit.facts.span, [], unit.facts.span.line - 1)
      .lines.map((line) => line.text)
      .join('\n')
    known.set(unit.id, text)
    return text
  }
}

/** A statement as it is written: with the edits that it needs, and shown where a cell showed it. */
export function lineWriter(
  document: NotebookDocument,
  units: Units,
  roles: Roles,
  sources: SourcePlan,
): (unit: number, display: boolean) => WrittenLine[] {
  return (id, display) => {
    const unit = units.list[id] as Unit
    const source = document.cells[unit.cell]?.source ?? ''
    const edits: TextEdit[] = [...(sources.edits.get(id) ?? [])]
    const { span } = unit.facts
    if (roles.of[id] === 'parameter') {
      const literal = unit.facts.literals[0]
      const value = valueSpan(source, unit)
      if (literal !== undefined && value !== null) edits.push({ span: value.span, text: `param(${value.text})` })
    }
    const payload = unit.magic !== null && unit.facts.kind === 'magic' ? unit.magic : null
    if (payload !== null)
      edits.push({
        span: { ...span, endLine: span.line, endColumn: span.column + magicPrefix(source, unit) },
        text: '',
      })
    for (const word of globalNames(source, unit).words) edits.push({ span: word, text: 'nonlocal' })
    if (display) {
      const show = displayFunction(units).name
      edits.push({
        span: { line: span.line, column: span.column, endLine: span.line, endColumn: span.column },
        // A bare tuple is one value; in a call it would be several.
        text: isBareTuple(source, unit) ? `${show}((` : `${show}(`,
      })
      edits.push({
        span: { line: span.endLine, column: span.endColumn, endLine: span.endLine, endColumn: span.endColumn },
        text: isBareTuple(source, unit) ? '))' : ')',
      })
    }
    const previous = units.list
      .filter((other) => other.cell === unit.cell && other.id < id)
      .reduce((end, other) => Math.max(end, other.facts.span.endLine), 0)
    const text = statementText(source, span, edits, previous)
    return [...text.comments, ...text.lines].map((line) => ({ ...line, cell: unit.cell }))
  }
}

/** `a, b` without brackets around it: a comma outside all brackets and strings. */
function isBareTuple(source: string, unit: Unit): boolean {
  const { span } = unit.facts
  const lines = source.split('\n').slice(span.line - 1, span.endLine)
  if (lines.length === 0) return false
  lines[lines.length - 1] = Array.from(lines.at(-1)!).slice(0, span.endColumn).join('')
  lines[0] = Array.from(lines[0]!).slice(span.column).join('')
  const text = lines
    .join('\n')
    .replaceAll(/'''[^]*?'''|"{3}[^]*?"{3}|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/g, '')
    .replaceAll(/#.*/g, '')
  let depth = 0
  for (const character of text) {
    if ('([{'.includes(character)) depth++
    else if (')]}'.includes(character)) depth--
    else if (character === ',' && depth === 0) return true
  }
  return false
}

/** `%time ` before the statement that it times. */
function magicPrefix(source: string, unit: Unit): number {
  const line = source.split('\n')[unit.facts.span.line - 1]?.slice(unit.facts.span.column) ?? ''
  return /^%{0,2}\w+\s+/u.exec(line)?.[0].length ?? 0
}

function valueSpan(source: string, unit: Unit): { span: TextEdit['span']; text: string } | null {
  const { span } = unit.facts
  if (span.line !== span.endLine) return null
  const line = source.split('\n')[span.line - 1] ?? ''
  const equals = line.indexOf('=', span.column)
  const start = equals + 1 + (/^\s*/u.exec(line.slice(equals + 1))?.[0].length ?? 0)
  return equals < 0
    ? null
    : {
        span: { line: span.line, column: start, endLine: span.line, endColumn: span.endColumn },
        text: line.slice(start, span.endColumn),
      }
}
