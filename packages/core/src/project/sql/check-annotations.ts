/** `-- @check not_null(day), unique(id), total >= 0`: each item is a rule, or an expression that must hold for every row. */
import type { Diagnostic, Place } from '../../diagnostics.ts'
import { nearestName } from '../../model/nearest.ts'
import type { CheckRule, Severity } from '../../model/project.ts'
import type { Annotation } from './annotation.ts'
import { splitOutside } from './sql-scan.ts'

export interface WrittenCheck {
  /** As written, white space collapsed: it names the check. */
  readonly text: string
  readonly rule: CheckRule
  readonly severity: Severity
  readonly place: Place
}

export interface ParsedChecks {
  readonly checks: readonly WrittenCheck[]
  readonly diagnostics: readonly Diagnostic[]
}

const ruleNames = ['not_null', 'unique', 'accepted_values', 'row_count']
/** Names by which the rules are known elsewhere; close enough to be meant, never functions of the engine. */
const looksLikeRule = /^[a-z_]+$/

export function parseChecks(annotation: Annotation, severity: Severity): ParsedChecks {
  const checks: WrittenCheck[] = []
  const diagnostics: Diagnostic[] = []
  for (const { text, start } of splitOutside(annotation.rest, ',')) {
    const trimmed = text.trim()
    const place = annotation.at(start + text.indexOf(trimmed), trimmed.length)
    const answer =
      trimmed === ''
        ? wrong('a check is missing here', 'write for instance  not_null(id), unique(id)')
        : parseRule(trimmed)
    if ('problem' in answer) {
      diagnostics.push({
        code: 'D020',
        severity: 'error',
        message: answer.problem,
        at: place,
        notes: [],
        fix: answer.fix,
      })
    } else checks.push({ text: trimmed.replaceAll(/\s+/g, ' '), rule: answer.rule, severity, place })
  }
  return { checks, diagnostics }
}

type Answer = { readonly rule: CheckRule } | { readonly problem: string; readonly fix: string }

function wrong(problem: string, fix: string): Answer {
  return { problem, fix }
}

function parseRule(text: string): Answer {
  const call = /^([A-Za-z_]\w*)\s*\(([\s\S]*)\)$/.exec(text)
  const name = call?.[1]?.toLowerCase() ?? ''
  const items = splitOutside(call?.[2] ?? '', ',').map((part) => part.text.trim())
  switch (name) {
    case 'not_null':
    case 'unique': {
      const columns = items.map(columnOf)
      if (columns.some((column) => column === null))
        return wrong(`'${name}' takes names of columns`, `write for instance  ${name}(id)`)
      return { rule: { type: name, columns: columns.flatMap((column) => column ?? []) } }
    }
    case 'accepted_values':
      return acceptedValues(items)
    case 'row_count':
      return rowCount(items)
    default: {
      const near = call === null || !looksLikeRule.test(name) ? null : nearestName(name, ruleNames)
      if (near !== null) return wrong(`there is no check '${name}'`, `did you mean '${near}'?`)
      return { rule: { type: 'expression', sql: text } }
    }
  }
}

function columnOf(text: string): string | null {
  if (/^[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*$/.test(text)) return text
  const quoted = /^"((?:[^"]|"")+)"$/.exec(text)
  return quoted === null ? null : quoted[1]!.replaceAll('""', '"')
}

function acceptedValues(items: readonly string[]): Answer {
  const usage = "write for instance  accepted_values(status, ['open', 'paid'])"
  const column = columnOf(items[0] ?? '')
  const list = /^\[([\s\S]*)\]$/.exec(items[1] ?? '')
  if (column === null || list === null || items.length !== 2)
    return wrong("'accepted_values' takes a column and a list", usage)
  const values = splitOutside(list[1]!, ',').map((part) => valueOf(part.text.trim()))
  if (values.some((value) => value === null)) return wrong('the accepted values must be literals', usage)
  return { rule: { type: 'accepted_values', column, values } }
}

function valueOf(text: string): string | number | boolean | null {
  const quoted = /^'((?:[^']|'')*)'$/.exec(text)
  if (quoted !== null) return quoted[1]!.replaceAll("''", "'")
  if (/^(true|false)$/i.test(text)) return /^true$/i.test(text)
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return null
  const value = Number(text)
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? value : null
}

function rowCount(items: readonly string[]): Answer {
  const usage = 'write for instance  row_count(1)  or  row_count(1, 1000)  or  row_count(max := 1000)'
  const bounds: { min: number | null; max: number | null } = { min: null, max: null }
  for (const [i, item] of items.entries()) {
    const match = /^(?:(min|max)\s*(?::=|=>|=)\s*)?(\d{1,15}|null)$/i.exec(item)
    const key = match?.[1]?.toLowerCase() ?? ['min', 'max'][i]
    if (match === null || (key !== 'min' && key !== 'max'))
      return wrong("'row_count' takes a least and a most number of rows", usage)
    bounds[key] = /^null$/i.test(match[2]!) ? null : Number(match[2])
  }
  const { min, max } = bounds
  if ((min === null && max === null) || (min !== null && max !== null && min > max))
    return wrong("'row_count' needs a least or a most number of rows", usage)
  return { rule: { type: 'row_count', min, max } }
}
