/**
 * N07 to N11: state that cells and functions share. Invariant: only changes that the catalogue is certain of count;
 * assumed ones wait for an observed run. Drawing on figures is N37, not a change of data.
 */
import type { Finding } from '../../finding.ts'
import type { Mutation } from '../../ir.ts'
import {
  finding,
  groupBy,
  lineText,
  listed,
  type AuditContext,
  type PlacedStatement,
  type Rule,
} from '../audit-context.ts'

export const stateRules: readonly Rule[] = [
  { codes: ['N07'], needs: 'facts', find: notIdempotent },
  { codes: ['N08'], needs: 'facts', find: changedAcrossCells },
  { codes: ['N09'], needs: 'facts', find: sharedObjects },
  { codes: ['N10'], needs: 'facts', find: closesOverGlobals },
  { codes: ['N11'], needs: 'facts', find: changesOutside },
]

/** Methods after which a second call leaves another value. */
const GROWING =
  /^method:(append|extend|insert|remove|pop|add|update_|appendleft|popleft|popitem|reverse|rotate|subtract|write|writelines|partial_fit)$/
const DRAWN = /^(matplotlib|seaborn|plotly|sklearn\.Display)/

interface Change {
  readonly name: string
  readonly statement: PlacedStatement
  readonly mutation: Mutation
}

/** Types that a name may have at a statement: those of its last certain binding above. */
export function typesAt(context: AuditContext, name: string, order: number): readonly string[] {
  const bindings = context.flow.bindings.get(name) ?? []
  const last = bindings.filter((binding) => binding.order <= order).at(-1)
  return last?.statement.facts.bindTypes[name] ?? []
}

export function isDrawing(context: AuditContext, name: string, order: number): boolean {
  const types = typesAt(context, name, order)
  return (types.length > 0 && types.every((type) => DRAWN.test(type))) || /^(ax|axs|axes|fig|figure)\d*$/.test(name)
}

function changesOf(context: AuditContext): Change[] {
  return context.statements.flatMap((statement) =>
    statement.facts.mutations
      .filter(
        ({ certain, name }) =>
          certain &&
          !context.flow.importedNames.has(name) &&
          !isItsOwn(statement, name) &&
          !isDrawing(context, name, statement.order) &&
          !isGenerator(context, name, statement.order),
      )
      .map((mutation) => ({ name: mutation.name, statement, mutation })),
  )
}

/** A name that the statement makes before it changes it: the variable of a loop. */
function isItsOwn({ facts }: PlacedStatement, name: string): boolean {
  const bound = facts.binds.includes(name) || facts.mayBind.includes(name)
  return bound && !facts.reads.some((read) => read.name === name)
}

/** Drawing from a generator object is N29. */
function isGenerator(context: AuditContext, name: string, order: number): boolean {
  const types = typesAt(context, name, order)
  return types.includes('numpy.random.Generator') || types.includes('random.Random')
}

/** True when the cell makes the name itself, before this statement. */
function madeInCell(context: AuditContext, name: string, statement: PlacedStatement): boolean {
  return (context.flow.bindings.get(name) ?? []).some(
    (binding) => binding.cell === statement.cell && binding.order < statement.order && binding.certain,
  )
}

function lastMaker(context: AuditContext, name: string, order: number): number | null {
  const before = (context.flow.bindings.get(name) ?? []).filter((binding) => binding.order < order)
  return before.at(-1)?.cell ?? null
}

function notIdempotent(context: AuditContext): readonly Finding[] {
  const rebinding = context.statements.flatMap((statement) => {
    const names = [...statement.facts.binds, ...statement.facts.mayBind].filter(
      (name) => statement.facts.reads.some((read) => read.name === name) && statement.facts.kind !== 'import',
    )
    return names
      .filter((name) => !context.flow.importedNames.has(name))
      .map((name) => ({ name, statement, how: 'reads and overwrites' }))
  })
  const growing = changesOf(context)
    .filter((change) => isGrowing(change))
    .map(({ name, statement }) => ({ name, statement, how: 'changes' }))
  const found = [...rebinding, ...growing].filter(
    ({ name, statement }) =>
      !madeInCell(context, name, statement) && lastMaker(context, name, statement.order) !== null,
  )
  return [...groupBy(found, ({ name, statement }) => `${statement.cell} ${name}`).values()].flatMap(([first]) => {
    if (first === undefined) return []
    const maker = lastMaker(context, first.name, first.statement.order)
    return [
      finding('N07', {
        cell: first.statement.cell,
        line: first.statement.facts.span.line,
        message: `The cell ${first.how} \`${first.name}\`, which cell ${maker} made: running it twice gives something else than running it once.`,
        evidence: lineText(context, first.statement.cell, first.statement.facts.span),
      }),
    ]
  })
}

function isGrowing({ mutation, statement }: Change): boolean {
  if (GROWING.test(mutation.how) || mutation.how === 'augmented' || mutation.how === 'inplace') return true
  if (mutation.how !== 'subscript' && mutation.how !== 'attribute') return false
  const path = mutation.path.join('\n')
  const readsItself =
    statement.facts.reads.filter((read) => read.name === mutation.name && read.path.join('\n') === path).length > 1
  return readsItself || statement.facts.kind === 'augassign' || statement.facts.kind === 'del'
}

function changedAcrossCells(context: AuditContext): readonly Finding[] {
  const changes = changesOf(context).filter(({ name, statement }) => {
    const maker = lastMaker(context, name, statement.order)
    return maker !== null && maker !== statement.cell && !madeInCell(context, name, statement)
  })
  return [...groupBy(changes, ({ name, statement }) => `${statement.cell} ${name}`).values()].flatMap(([first]) => {
    if (first === undefined) return []
    const { name, statement, mutation } = first
    return [
      finding('N08', {
        cell: statement.cell,
        line: mutation.span.line,
        message: `The cell changes \`${name}\` in place (${howInWords(mutation)}); cell ${lastMaker(context, name, statement.order)} made it. Cells that use it see it before or after this change, depending on the order of runs.`,
        evidence: lineText(context, statement.cell, mutation.span),
      }),
    ]
  })
}

function howInWords(mutation: Mutation): string {
  if (mutation.how === 'subscript')
    return mutation.path[0] === undefined || mutation.path[0] === '*' ? 'assigns items' : `sets ${mutation.path[0]}`
  if (mutation.how === 'attribute') return `sets ${mutation.path.at(-1) ?? 'an attribute'}`
  if (mutation.how === 'augmented') return 'augmented assignment'
  if (mutation.how === 'inplace') return 'inplace=True'
  const [kind, name] = mutation.how.split(':')
  return kind === 'method' ? `.${name}()` : kind === 'argument' ? `passed to ${name}` : mutation.how
}

function sharedObjects(context: AuditContext): readonly Finding[] {
  const changes = changesOf(context)
  const findings = context.statements.flatMap((statement) =>
    statement.facts.aliases
      .filter(
        ({ kind, target, source }) =>
          kind !== 'maybe' &&
          target !== source &&
          !context.flow.importedNames.has(source) &&
          !isDrawing(context, target, statement.order),
      )
      .flatMap(({ target, source, kind }) => {
        const end = nextBinding(context, [target, source], statement.order)
        const change = changes.find(
          (candidate) =>
            candidate.statement.order > statement.order &&
            candidate.statement.order < end &&
            (candidate.name === target || candidate.name === source),
        )
        if (change === undefined) return []
        const other = change.name === target ? source : target
        const reader = context.flow.readsByName
          .get(other)
          ?.find((read) => read.order > change.statement.order && read.order <= end)
        if (reader === undefined) return []
        return [
          finding('N09', {
            cell: change.statement.cell,
            line: change.mutation.span.line,
            message: `\`${change.name}\` is changed here, and \`${other}\` ${kind === 'same' ? 'is the same object' : 'shares its memory'} (since cell ${statement.cell}): cell ${reader.cell} sees the change through \`${other}\`. Write \`.copy()\` if it should not.`,
            evidence: lineText(context, statement.cell, statement.facts.span),
          }),
        ]
      }),
  )
  return [...groupBy(findings, ({ cell, message }) => `${cell} ${message}`).values()].flatMap(([first]) =>
    first === undefined ? [] : [first],
  )
}

/** Order of the first statement after `order` that binds one of the names anew. */
function nextBinding(context: AuditContext, names: readonly string[], order: number): number {
  const orders = names
    .flatMap((name) => (context.flow.bindings.get(name) ?? []).map((binding) => binding.order))
    .filter((other) => other > order)
  return Math.min(...orders, Number.POSITIVE_INFINITY)
}

function closesOverGlobals(context: AuditContext): readonly Finding[] {
  return [...context.flow.definitions].flatMap(([name, { fact, cell, line }]) => {
    if (name === '<lambda>') return []
    const read = fact.lateReads.filter((global) => isVariable(context, global))
    if (read.length === 0) return []
    const changing = read.filter((global) => (context.flow.bindings.get(global)?.length ?? 0) > 1)
    const again =
      changing.length === 0
        ? ''
        : ` ${listed(changing)} ${changing.length === 1 ? 'is' : 'are'} bound more than once, and the value at the call counts.`
    return [
      finding('N10', {
        cell,
        line,
        message: `${fact.kind === 'class' ? 'Class' : 'Function'} \`${name}\` reads ${listed(read)} of the notebook, not only its arguments.${again}`,
        evidence: context.document.cells[cell]?.source.split('\n')[line - 1]?.trim() ?? name,
      }),
    ]
  })
}

/** Data of the notebook: no import, function or class, and no constant by convention that keeps its value. */
function isVariable(context: AuditContext, name: string): boolean {
  const bindings = context.flow.bindings.get(name)
  if (bindings === undefined || context.flow.importedNames.has(name) || context.flow.definitions.has(name)) return false
  const only = bindings.length === 1 ? bindings[0] : undefined
  const isConstant = only !== undefined && /^_*[A-Z][A-Z0-9_]*$/.test(name) && isFixed(context, name)
  return !isConstant
}

function isFixed(context: AuditContext, name: string): boolean {
  return !context.flow.changed.has(name)
}

function changesOutside(context: AuditContext): readonly Finding[] {
  return [...context.flow.definitions].flatMap(([name, { fact, cell, line }]) => {
    const parameters = fact.mutatesParameters
      .map((position) => fact.parameters[position] ?? '')
      .filter(
        (parameter) =>
          parameter !== '' &&
          !/^(ax|axs|axes|axis|fig|figure|splot|subplots?|canvas|chart|self|cls)\d*$/.test(parameter),
      )
    const globals = fact.lateWrites.filter(
      (global) => !context.flow.importedNames.has(global) && !/^(ax|axs|axes|fig)\d*$/.test(global),
    )
    if (parameters.length === 0 && globals.length === 0) return []
    const what = [
      parameters.length > 0 ? `its argument ${listed(parameters)}` : '',
      globals.length > 0 ? `${listed(globals)} of the notebook` : '',
    ]
      .filter((part) => part !== '')
      .join(' and ')
    return [
      finding('N11', {
        cell,
        line,
        message: `\`${name}\` changes ${what}: calling it does more than its result shows.`,
        evidence: context.document.cells[cell]?.source.split('\n')[line - 1]?.trim() ?? name,
      }),
    ]
  })
}
