/**
 * `-- @` lines: what a SQL file says about its asset besides the query. An annotation that is not known is an error with
 * the nearest one, because a silently ignored option would be believed.
 */
import type { Json } from '../../canonical.ts'
import type { Diagnostic, Place } from '../../diagnostics.ts'
import { isCellmillError } from '../../errors.ts'
import { nearestName } from '../../model/nearest.ts'
import { parseParameter } from '../../model/parameters.ts'
import type { ParameterDefinition, ParameterType, Severity, StepOptions } from '../../model/project.ts'
import type { SqlCommentLine } from '../../engines/sql-parser.ts'
import { parseDurationMs, parseRefresh, parseSizeBytes } from '../quantities.ts'
import { defaultOptions } from '../../model/default-options.ts'
import { plainName } from '../step-options.ts'
import type { Annotation } from './annotation.ts'
import { parseChecks } from './check-annotations.ts'
import type { WrittenCheck } from './check-annotations.ts'

export interface Annotations {
  readonly options: StepOptions
  readonly parameters: readonly ParameterDefinition[]
  readonly checks: readonly WrittenCheck[]
  readonly description: string
  readonly isView: boolean
  readonly diagnostics: readonly Diagnostic[]
}

interface Draft {
  options: { -readonly [K in keyof StepOptions]: StepOptions[K] }
  readonly parameters: ParameterDefinition[]
  readonly checks: WrittenCheck[]
  readonly description: string[]
  isView: boolean
  severity: Severity
  readonly diagnostics: Diagnostic[]
}

type Read = (annotation: Annotation, draft: Draft) => string | null

export function readAnnotations(file: string, text: string, comments: readonly SqlCommentLine[]): Annotations {
  const lines = text.split('\n')
  const draft: Draft = {
    options: { ...defaultOptions },
    parameters: [],
    checks: [],
    description: [],
    isView: false,
    severity: 'error',
    diagnostics: [],
  }
  for (const comment of comments) {
    const annotation = annotationOf(file, lines, comment)
    if (annotation === null) continue
    const read = readers[annotation.name]
    if (read === undefined) {
      draft.diagnostics.push(unknown(annotation))
      continue
    }
    const expected = read(annotation, draft)
    if (expected !== null) draft.diagnostics.push(wrongValue(annotation, expected))
  }
  return { ...draft, description: draft.description.join(' ') }
}

function annotationOf(file: string, lines: readonly string[], comment: SqlCommentLine): Annotation | null {
  const match = /^(\s*@)([A-Za-z][\w-]*)(\s*)(.*?)\s*$/.exec(comment.text)
  if (match === null) return null
  const [, before = '', name = '', space = '', rest = ''] = match
  const lineText = (lines[comment.line - 1] ?? '').replace(/\r$/, '')
  const restColumn = comment.column + before.length + name.length + space.length
  return {
    name,
    rest,
    at: (start, length) => ({
      file,
      line: comment.line,
      column: start === undefined ? comment.column + before.length - 1 : restColumn + start,
      length: Math.max(1, length ?? (start === undefined ? name.length + 1 : rest.length - start)),
      lineText,
    }),
  }
}

function unknown(annotation: Annotation): Diagnostic {
  const near = nearestName(annotation.name, Object.keys(readers))
  return {
    code: 'D020',
    severity: 'error',
    message: `there is no annotation '@${annotation.name}'`,
    at: annotation.at(),
    notes: [
      `known: ${Object.keys(readers)
        .map((name) => `@${name}`)
        .join(' ')}`,
    ],
    fix: near === null ? 'remove it, or take the @ away where it is only a comment' : `did you mean '@${near}'?`,
  }
}

function wrongValue(annotation: Annotation, expected: string): Diagnostic {
  const given = annotation.rest === '' ? 'nothing' : `'${annotation.rest}'`
  return {
    code: 'D020',
    severity: 'error',
    message: `'@${annotation.name}' takes ${expected}, not ${given}`,
    at: annotation.rest === '' ? annotation.at() : annotation.at(0),
    notes: [],
    fix: `write for instance  -- @${annotation.name} ${examples[annotation.name] ?? ''}`,
  }
}

const examples: Readonly<Record<string, string>> = {
  refresh: 'always  (or never, or a duration such as 1h)',
  threads: '4',
  exact: 'false',
  engine: 'duckdb',
  materialize: 'view',
  severity: 'warn',
  retries: '2',
  timeout: '10m',
  memory: '2GB',
}

const readers: Readonly<Record<string, Read>> = {
  param: readParameter,
  check: (annotation, draft) => {
    const { checks, diagnostics } = parseChecks(annotation, draft.severity)
    draft.checks.push(...checks)
    draft.diagnostics.push(...diagnostics)
    return null
  },
  severity: ({ rest }, draft) => {
    if (rest !== 'error' && rest !== 'warn') return 'error or warn'
    draft.severity = rest
    return null
  },
  refresh: ({ rest }, draft) => {
    draft.options.refresh = parseRefresh(rest)
    return draft.options.refresh === null ? 'always, never or a duration' : null
  },
  tags: ({ rest }, draft) => {
    draft.options.tags = [...draft.options.tags, ...rest.split(/[\s,]+/).filter((tag) => tag !== '')]
    return null
  },
  description: ({ rest }, draft) => {
    draft.description.push(rest)
    return null
  },
  materialize: ({ rest }, draft) => {
    draft.isView = rest === 'view'
    return rest === 'view' || rest === 'table' ? null : 'view or table'
  },
  threads: ({ rest }, draft) => {
    draft.options.threads = Number(rest)
    return /^[1-9]\d{0,2}$/.test(rest) ? null : 'a number of threads'
  },
  exact: ({ rest }, draft) => {
    draft.options.exact = rest !== 'false'
    return rest === 'true' || rest === 'false' ? null : 'true or false'
  },
  engine: ({ rest }) => (rest === 'duckdb' ? null : 'duckdb'),
  owner: ({ rest }, draft) => {
    draft.options.owner = rest
    return rest === '' ? 'a name' : null
  },
  retries: ({ rest }, draft) => {
    draft.options.retries = Number(rest)
    return /^\d{1,2}$/.test(rest) ? null : 'a number of retries'
  },
  timeout: ({ rest }, draft) => {
    draft.options.timeoutMs = parseDurationMs(rest)
    return draft.options.timeoutMs === null ? 'a duration' : null
  },
  memory: ({ rest }, draft) => {
    draft.options.memoryBytes = parseSizeBytes(rest)
    return draft.options.memoryBytes === null ? 'a size' : null
  },
}

const typeNames: Readonly<Record<string, ParameterType>> = {
  int: 'int',
  integer: 'int',
  bigint: 'int',
  float: 'float',
  double: 'float',
  bool: 'bool',
  boolean: 'bool',
  str: 'str',
  string: 'str',
  text: 'str',
  varchar: 'str',
  date: 'date',
  datetime: 'datetime',
  timestamp: 'datetime',
  json: 'json',
}

/** `name type = default`; without a default the run must give a value. */
function readParameter(annotation: Annotation, draft: Draft): string | null {
  const match = /^([^\s=]+)\s+([^\s=]+)\s*(?:=\s*(.*))?$/.exec(annotation.rest)
  if (match === null) {
    const example = "-- @param since date = '2024-01-01'"
    draft.diagnostics.push(problem('D020', annotation.at(), "'@param' takes a name, a type and a default", example))
    return null
  }
  const [, name = '', typeName = '', written] = match
  const nameProblem = wrongName(annotation, draft, name)
  const type = typeNames[typeName.toLowerCase()]
  if (nameProblem !== null) draft.diagnostics.push(nameProblem)
  else if (type === undefined) draft.diagnostics.push(wrongType(annotation, typeName, name.length))
  else {
    const value = written === undefined ? null : literalOf(type, written.trim())
    const place = annotation.at(0, name.length)
    if (value !== null && 'error' in value) {
      const at = annotation.at(annotation.rest.lastIndexOf(written!))
      draft.diagnostics.push(problem('D021', at, value.error, `write a literal of type ${type}`))
    } else draft.parameters.push({ name, type, default: value?.value ?? null, required: value === null, place })
  }
  return null
}

function wrongName(annotation: Annotation, draft: Draft, name: string): Diagnostic | null {
  const at = annotation.at(0, name.length)
  if (!plainName.test(name)) {
    return problem('D014', at, `'${name}' cannot be the name of a parameter`, 'use letters, digits and _')
  }
  const isTwice = draft.parameters.some((parameter) => parameter.name === name)
  return isTwice ? problem('D013', at, `the parameter '${name}' is declared twice`, 'remove one of them') : null
}

function wrongType(annotation: Annotation, typeName: string, after: number): Diagnostic {
  const near = nearestName(typeName, Object.keys(typeNames))
  const at = annotation.at(annotation.rest.indexOf(typeName, after), typeName.length)
  const fix = near === null ? 'use int, float, bool, str, date, datetime or json' : `did you mean '${near}'?`
  return problem('D021', at, `'${typeName}' is not a type of parameters`, fix)
}

/** A SQL literal: a quoted text, a number, true or false; `DATE '..'` as well. */
function literalOf(type: ParameterType, written: string): { readonly value: Json } | { readonly error: string } {
  const quoted = /^(?:date\s+|timestamp\s+|timestamptz\s+)?'((?:[^']|'')*)'$/i.exec(written)
  const plain = /^[-+]?[\w.]+$/.test(written)
  const needsQuotes = type === 'str' || type === 'date' || type === 'datetime'
  if (type === 'json' && quoted === null) return json(written)
  if (quoted === null && (!plain || needsQuotes))
    return { error: `the default ${written} is not a literal${needsQuotes ? ' in quotes' : ''}` }
  if (/^null$/i.test(written)) return { error: 'a default cannot be NULL; leave it out, and the run must give a value' }
  try {
    return { value: parseParameter('default', type, quoted === null ? written : quoted[1]!.replaceAll("''", "'")) }
  } catch (error) {
    if (!isCellmillError(error)) throw error
    return { error: `the default ${written} is not of type ${type}` }
  }
}

function json(written: string): { readonly value: Json } | { readonly error: string } {
  try {
    return { value: JSON.parse(written) as Json }
  } catch {
    // Told with the place of the default.
    return { error: `the default ${written} is not JSON` }
  }
}

function problem(code: Diagnostic['code'], at: Place, message: string, fix: string): Diagnostic {
  return { code, severity: 'error', message, at, notes: [], fix }
}
