/**
 * Code that the notebook runs from a text or from another file, put where it runs: `exec("..")`, `eval("..")`, the name
 * `__name__`, `%run helper.py`, `%run other.ipynb`. Only where the place makes no difference: the text is a literal, the
 * statement stands alone, and a helper's names are bound by nothing else, since its functions keep names of their own.
 */
import type { NotebookCell, NotebookDocument } from '../document.ts'
import type { Repair } from '../graduation.ts'
import type { CellFacts, Magic, NotebookFacts, Span, StatementFacts } from '../ir.ts'
import { cellDiff } from '../audit/cell-diff.ts'
import { joinPath } from '../graduate/sources.ts'
import { replaceSpans, type Replacement } from './replace-spans.ts'

export interface InlineInput {
  readonly document: NotebookDocument
  readonly facts: NotebookFacts
  /** `notebooks`: what the run of the notebook needs inlined; `code`: what a run of the original may show first. */
  readonly what: 'notebooks' | 'code'
  /** Text of a file of the project, or null. */
  readonly read: (path: string) => string | null
}

export interface Inlined {
  readonly document: NotebookDocument
  readonly repairs: readonly Repair[]
  /** Cells with the code of a helper, and the lines that it has there. */
  readonly helpers: readonly {
    readonly cell: number
    readonly path: string
    readonly first: number
    readonly last: number
  }[]
}

interface Edit extends Replacement {
  readonly message: string
  readonly code: string
  readonly evidence: string
  readonly path?: string
}

export function inlineCode(input: InlineInput): Inlined {
  const repairs: Repair[] = []
  const helpers: Inlined['helpers'][number][] = []
  const own = boundNames(input.facts)
  const cells = input.document.cells.map((cell): NotebookCell => {
    const facts = input.facts.cells.find(({ index }) => index === cell.index)
    if (facts === undefined || facts.syntaxError !== null) return cell
    const edits = editsOf(input, cell, facts, own)
    if (edits.length === 0) return cell
    const source = replaceSpans(cell.source, edits)
    repairs.push({
      code: edits[0]?.code ?? 'N14',
      cell: cell.index,
      diff: cellDiff(cell.index, cell.source, source),
      message: `cell ${cell.index} ${[...new Set(edits.map(({ message }) => message))].join(' and ')}`,
      confirmedBy: edits[0]?.evidence ?? null,
    })
    let shift = 0
    for (const { span, text, path } of edits.toSorted((a, b) => a.span.line - b.span.line)) {
      const rows = text.split('\n').length
      const first = span.line + shift
      if (path !== undefined) helpers.push({ cell: cell.index, path, first, last: first + rows - 1 })
      shift += rows - (span.endLine - span.line + 1)
    }
    return { ...cell, source }
  })
  return { document: { ...input.document, cells }, repairs, helpers }
}

/** Names of a helper that the notebook binds too, or reads of it before: the two are different variables. */
export function helperConflicts(facts: NotebookFacts, helpers: Inlined['helpers']): string[] {
  const binders = new Map<string, { helper: number; text: string }[]>()
  const needs = new Map<string, number>()
  for (const cell of facts.cells) {
    for (const statement of cell.statements) {
      const helper = helpers.findIndex(
        (one) => one.cell === cell.index && one.first <= statement.span.line && statement.span.endLine <= one.last,
      )
      for (const name of namesBoundBy(statement)) {
        const imported = statement.imports.find(({ boundAs }) => boundAs === name)
        const text = imported === undefined ? '' : `${imported.module} ${imported.name ?? ''}`
        binders.set(name, [...(binders.get(name) ?? []), { helper, text }])
      }
      if (helper < 0) continue
      for (const one of statement.definitions) for (const name of one.lateReads) needs.set(name, helper)
      for (const { name } of statement.reads) needs.set(name, helper)
    }
  }
  const found = new Set<string>()
  for (const [name, all] of binders) {
    const mine = all.filter(({ helper }) => helper >= 0)
    const sameImport = all.every(({ text }) => text !== '' && text === all[0]?.text)
    if (mine.length > 0 && !sameImport && all.some(({ helper }) => helper !== mine[0]?.helper)) found.add(name)
    if (mine.length === 0 && needs.has(name)) found.add(name)
  }
  return [...found].sort()
}

function editsOf(input: InlineInput, cell: NotebookCell, facts: CellFacts, own: ReadonlySet<string>): Edit[] {
  const magics = facts.magics.flatMap((magic) => runEdit(input, cell, magic))
  if (input.what === 'notebooks') return magics
  return [...magics, ...facts.statements.flatMap((statement) => textEdits(cell, statement, own))]
}

const PLAIN_RUN = /^(?<flag>-i\s+)?(?<quote>["']?)(?<path>[^"'\s{}$*?-][^"'{}$*?]*?)\k<quote>$/u
/** What a file of its own would see differently. */
const SEES_ITS_PLACE =
  /\bsys\s*\.\s*argv\b|__file__|\b(exit|quit)\s*\(|\bfrom\s+__future__\b|\bget_ipython\b|\binspect\b/u

function runEdit(input: InlineInput, cell: NotebookCell, magic: Magic): Edit[] {
  if (magic.kind !== 'line' || magic.name !== 'run' || magic.assignedTo !== null) return []
  const { span } = magic
  if (!standsAlone(cell.source, span)) return []
  const groups = PLAIN_RUN.exec(magic.argument.trim())?.groups
  if (groups === undefined) return []
  const wanted = /\.(py|ipynb)$/u.test(groups['path'] ?? '') ? (groups['path'] ?? '') : `${groups['path'] ?? ''}.py`
  const isNotebook = wanted.endsWith('.ipynb')
  if (isNotebook !== (input.what === 'notebooks')) return []
  const path = joinPath(input.document.path, wanted)
  const text = path === null ? null : input.read(path)
  const code = text === null ? null : isNotebook ? codeOfNotebook(text) : text
  if (code === null || SEES_ITS_PLACE.test(code)) return []
  const sharesNames = isNotebook || groups['flag'] !== undefined
  return [
    {
      span,
      // Neither shows its last value.
      text: `${asMain(code).trim()}\npass`,
      code: 'N14',
      message: `runs ${wanted}; its code stands there instead`,
      evidence: isNotebook ? `the text of ${wanted}, as %run runs it` : 'the run of the original',
      ...(sharesNames ? {} : { path: path ?? wanted }),
    },
  ]
}

/** `%run` runs it as the main program. */
function asMain(code: string): string {
  return code.replaceAll(/^(\s*if\s+)__name__\s*==\s*(?:'__main__'|"__main__")(\s*:)/gmu, '$1True$2')
}

/** Code cells one after the other; null where a cell is not plain Python and line magics. */
function codeOfNotebook(text: string): string | null {
  try {
    const { cells } = JSON.parse(text) as {
      cells: readonly { cell_type: string; source: string | readonly string[] }[]
    }
    const sources = cells
      .filter(({ cell_type: type }) => type === 'code')
      .map(({ source }) => (typeof source === 'string' ? source : source.join('')))
    return sources.some((source) => /^\s*%%/u.test(source)) ? null : sources.join('\n\n')
  } catch {
    return null
  }
}

function textEdits(cell: NotebookCell, statement: StatementFacts, own: ReadonlySet<string>): Edit[] {
  const edits: Edit[] = []
  const calls = [...statement.calls, ...statement.definitions.flatMap((one) => one.lateCalls)]
  for (const call of calls) {
    if ((call.callee !== 'exec' && call.callee !== 'eval') || own.has(call.callee)) continue
    const value = onlyText(statement, call.span, call.literals, call.names)
    if (value === null || SEES_ITS_PLACE.test(value)) continue
    const isStatement = statement.kind === 'expr' && sameSpan(statement.span, call.span)
    if (call.callee === 'exec' && (!isStatement || !standsAlone(cell.source, call.span))) continue
    if (edits.some(({ span }) => overlap(span, call.span))) continue
    edits.push({
      span: call.span,
      text: call.callee === 'eval' ? `(${value.trim()})` : `${value.trim()}\npass`,
      code: 'N14',
      message: `runs code from a text; the code stands there instead`,
      evidence: 'the run of the original',
    })
  }
  if (!own.has('__name__')) {
    for (const span of mainGuards(cell.source, statement)) {
      if (edits.some((edit) => overlap(edit.span, span))) continue
      edits.push({
        span,
        text: 'True',
        code: 'N14',
        message: 'asks whether it is the main program, as a notebook is',
        evidence: 'the run of the original',
      })
    }
  }
  return edits
}

/** `__name__ == "__main__"`, outside of texts. */
function mainGuards(source: string, statement: StatementFacts): Span[] {
  const { span, literals } = statement
  return source.split('\n').flatMap((text, at) => {
    const line = at + 1
    if (line < span.line || line > span.endLine) return []
    return [...text.matchAll(/(?<![\w.])__name__\s*==\s*(['"])__main__\1/gu)].flatMap(({ index, 0: found }) => {
      const guard = { line, column: index, endLine: line, endColumn: index + found.length }
      const inText = literals.some((one) => within({ ...guard, endColumn: index + '__name__'.length }, one.span))
      const isComment = /^\s*#/u.test(text)
      // Python counts characters: beyond the basic plane the columns would differ.
      const before = text.slice(0, index)
      return inText || isComment || Array.from(before).length !== before.length ? [] : [guard]
    })
  })
}

function onlyText(
  statement: StatementFacts,
  span: Span,
  literals: Readonly<Record<string, string>>,
  names: Readonly<Record<string, string>>,
): string | null {
  if (Object.keys(names).length > 0 || Object.keys(literals).join() !== '0') return null
  const inside = statement.literals.filter((literal) => within(literal.span, span))
  const literal = inside[0]
  return inside.length === 1 && literal?.type === 'str' && !literal.value.includes('\0') ? literal.value : null
}

/** Nothing else on its lines: what replaces it may have many. */
function standsAlone(source: string, span: Span): boolean {
  const lines = source.split('\n')
  const before = (lines[span.line - 1] ?? '').slice(0, span.column)
  const after = (lines[span.endLine - 1] ?? '').slice(span.endColumn)
  return before === '' && /^\s*(;\s*)?(#.*)?$/u.test(after)
}

function boundNames(facts: NotebookFacts): ReadonlySet<string> {
  return new Set(facts.cells.flatMap(({ statements }) => statements.flatMap(namesBoundBy)))
}

function namesBoundBy(statement: StatementFacts): string[] {
  return [
    ...statement.binds,
    ...statement.mayBind,
    ...statement.deletes,
    ...statement.definitions.flatMap(({ lateWrites }) => lateWrites),
  ]
}

function within(inner: Span, outer: Span): boolean {
  return (
    !isBefore(inner.line, inner.column, outer.line, outer.column) &&
    !isBefore(outer.endLine, outer.endColumn, inner.endLine, inner.endColumn)
  )
}

function overlap(a: Span, b: Span): boolean {
  return isBefore(a.line, a.column, b.endLine, b.endColumn) && isBefore(b.line, b.column, a.endLine, a.endColumn)
}

function sameSpan(a: Span, b: Span): boolean {
  return within(a, b) && within(b, a)
}

function isBefore(line: number, column: number, otherLine: number, otherColumn: number): boolean {
  return line < otherLine || (line === otherLine && column < otherColumn)
}
