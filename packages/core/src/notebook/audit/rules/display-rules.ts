/** N35, N36, N37: cells that only show, displays that change data, figures drawn across cells. */
import type { Finding } from '../../finding.ts'
import { finding, lineText, type AuditContext, type PlacedStatement, type Rule } from '../audit-context.ts'
import { functionsUsed } from '../name-flow.ts'
import { isDrawing, typesAt } from './state-rules.ts'

export const displayRules: readonly Rule[] = [
  { codes: ['N35'], needs: 'facts', find: onlyShows },
  { codes: ['N36'], needs: 'facts', find: displaysThatChange },
  { codes: ['N37'], needs: 'facts', find: figuresAcrossCells },
]

const SHOWN = /^(stdout|figure|timer)$/

function cellStatements(context: AuditContext, cell: number): readonly PlacedStatement[] {
  return context.statementsByCell.get(cell) ?? []
}

function onlyShows(context: AuditContext): readonly Finding[] {
  return context.codeCells.flatMap((cell) => {
    const statements = cellStatements(context, cell.index)
    const shows = statements.some(({ facts }) => facts.displays || facts.tokens.some(({ token }) => SHOWN.test(token)))
    if (!shows || statements.some((statement) => !isHarmless(context, statement))) return []
    return [
      finding('N35', {
        cell: cell.index,
        message: 'The cell only shows something; no other cell needs it. It becomes a report, off the critical path.',
        evidence: cell.source.trim().split('\n')[0] ?? '',
      }),
    ]
  })
}

/** Nothing that another cell could notice. */
function isHarmless(context: AuditContext, statement: PlacedStatement): boolean {
  const { facts } = statement
  if (
    facts.imports.length > 0 ||
    facts.definitions.length > 0 ||
    facts.deletes.length > 0 ||
    facts.dynamic.length > 0 ||
    facts.kind === 'magic'
  )
    return false
  if (facts.tokens.some(({ token, mode }) => mode === 'write' && !SHOWN.test(token))) return false
  if (
    functionsUsed(statement, context.flow.definitions).some(
      (name) => (context.flow.definitions.get(name)?.fact.lateWrites.length ?? 0) > 0,
    )
  )
    return false
  const bound = [...facts.binds, ...facts.mayBind]
  if (bound.some((name) => (context.flow.readsByName.get(name) ?? []).some((read) => read.cell !== statement.cell)))
    return false
  return facts.mutations.every(
    ({ name, certain }) =>
      !certain || isDrawing(context, name, statement.order) || !isFromElsewhere(context, name, statement.cell),
  )
}

function isFromElsewhere(context: AuditContext, name: string, cell: number): boolean {
  return (context.flow.bindings.get(name) ?? []).some((binding) => binding.cell !== cell)
}

function displaysThatChange(context: AuditContext): readonly Finding[] {
  return context.statements.flatMap((statement) => {
    if (!statement.facts.displays) return []
    const change = statement.facts.mutations.find(
      ({ certain, how, name }) =>
        certain &&
        /^(method:|argument:|inplace)/.test(how) &&
        !isDrawing(context, name, statement.order) &&
        !context.flow.importedNames.has(name),
    )
    if (change === undefined) return []
    return [
      finding('N36', {
        cell: statement.cell,
        line: change.span.line,
        message: `It looks like a display, but it changes \`${change.name}\` (${change.how.replace(/^method:/, '.')}): leaving the cell out changes what follows.`,
        evidence: lineText(context, statement.cell, statement.facts.span),
      }),
    ]
  })
}

const DECORATES =
  /^(?:matplotlib\.pyplot|pylab)\.(title|suptitle|xlabel|ylabel|legend|xlim|ylim|xticks|yticks|grid|savefig|colorbar|tight_layout|text|annotate|axis|gca|gcf|subplots_adjust|margins|show|xscale|yscale)$/
const PYPLOT = /^(?:matplotlib\.pyplot|pylab)\./

function figuresAcrossCells(context: AuditContext): readonly Finding[] {
  return context.codeCells.flatMap((cell) => {
    const statements = cellStatements(context, cell.index)
    return [...drawnOnOld(context, statements), ...decoratesNothing(context, statements)].slice(0, 1)
  })
}

/** `ax` of an earlier cell: its figure was shown and closed there. */
function drawnOnOld(context: AuditContext, statements: readonly PlacedStatement[]): readonly Finding[] {
  for (const statement of statements) {
    for (const { name, span, certain } of statement.facts.mutations) {
      const types = typesAt(context, name, statement.order)
      const maker = (context.flow.bindings.get(name) ?? []).filter(({ order }) => order < statement.order).at(-1)
      if (
        !certain ||
        maker === undefined ||
        maker.cell === statement.cell ||
        statement.facts.binds.includes(name) ||
        statement.facts.mayBind.includes(name) ||
        !types.some((type) => type.startsWith('matplotlib.'))
      )
        continue
      return [
        finding('N37', {
          cell: statement.cell,
          line: span.line,
          message: `It draws on \`${name}\` of cell ${maker.cell}. That figure was shown and closed at the end of its cell: what is drawn here is not seen there. The cells are merged.`,
          evidence: lineText(context, statement.cell, span),
        }),
      ]
    }
  }
  return []
}

/** `plt.title(..)` in a cell of its own makes a new, empty figure. */
function decoratesNothing(context: AuditContext, statements: readonly PlacedStatement[]): readonly Finding[] {
  const calls = statements.flatMap((statement) => statement.facts.calls.map((call) => ({ statement, call })))
  const pyplot = calls.filter(({ call }) => PYPLOT.test(call.callee))
  const first = pyplot.find(({ call }) => !call.callee.endsWith('.show'))
  if (first === undefined || pyplot.some(({ call }) => !DECORATES.test(call.callee))) return []
  const mayDraw = statements.some(
    (statement) =>
      functionsUsed(statement, context.flow.definitions).length > 0 ||
      statement.facts.tokens.some(({ token, why }) => token === 'figure' && !DECORATES.test(why)) ||
      statement.facts.mutations.some(({ certain }) => !certain) ||
      statement.facts.dynamic.length > 0,
  )
  if (
    mayDraw ||
    calls.some(
      ({ call }) =>
        call.callee === '' || (!PYPLOT.test(call.callee) && /plot|draw|show|hist|bar|scatter/.test(call.callee)),
    )
  )
    return []
  const { statement, call } = first
  return [
    finding('N37', {
      cell: statement.cell,
      line: call.span.line,
      message:
        'It sets up a plot but draws none: figures are closed at the end of each cell, so this makes a new, empty one. Move it to the cell that draws.',
      evidence: lineText(context, statement.cell, call.span),
    }),
  ]
}
