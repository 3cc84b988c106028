/**
 * Statements of a notebook in one execution order, each with what it reads, binds and changes. Observation refines the
 * static facts here and nowhere else: an assumed change that a run did not show is cleared and noted as an assumption,
 * a change that static reading missed is added. Later stages never look at the observation for effects again.
 */
import type { NotebookDocument } from '../document.ts'
import type { Call, Magic, NotebookFacts, StatementFacts, TokenUse } from '../ir.ts'
import type { Observation, ObservedCell } from '../observation.ts'

export interface Unit {
  /** Position in execution order. */
  readonly id: number
  readonly cell: number
  readonly facts: StatementFacts
  readonly magic: Magic | null
  readonly reads: ReadonlySet<string>
  readonly binds: readonly string[]
  readonly mayBinds: readonly string[]
  readonly deletes: readonly string[]
  readonly mutates: ReadonlySet<string>
  /** Among those: changed through a name that nothing connects with it. */
  readonly unseen: ReadonlySet<string>
  readonly tokens: readonly TokenUse[]
  /** What the names bound here may share memory with. */
  readonly aliases: StatementFacts['aliases']
  readonly isLastOfCell: boolean
}

export interface Units {
  readonly list: readonly Unit[]
  /** Every name that the notebook binds anywhere. */
  readonly names: ReadonlySet<string>
  readonly assumptions: readonly string[]
}

export function makeUnits(
  document: NotebookDocument,
  facts: NotebookFacts,
  execution: readonly number[],
  observation: Observation | null,
): Units {
  const factsByCell = new Map(facts.cells.map((cell) => [cell.index, cell]))
  const observed = new Map((observation?.cells ?? []).map((cell) => [cell.index, cell]))
  const names = boundNames(facts)
  const tuples = tupleNames(facts)
  const mayStay = readsUnderscore(facts) ? () => true : (name: string) => name !== '_'
  const assumptions = new Set<string>()
  const list: Unit[] = []
  for (const cellIndex of execution) {
    const cell = factsByCell.get(cellIndex)
    if (cell === undefined || document.cells[cellIndex]?.type !== 'code') continue
    const seen = observed.get(cellIndex) ?? null
    cell.statements.forEach((statement, position) => {
      const unit: Unit = {
        id: list.length,
        cell: cellIndex,
        facts: statement,
        magic: cell.magics.find((magic) => holds(statement, magic)) ?? null,
        reads: readNames(statement, names),
        binds: statement.binds,
        mayBinds: statement.mayBind.filter((name) => !statement.binds.includes(name) && mayStay(name)),
        deletes: statement.deletes,
        mutates: changedNames(statement, seen, assumptions),
        unseen: new Set(),
        aliases: aliasesOf(statement, tuples),
        tokens: randomTokens(statement.tokens, statement.calls),
        isLastOfCell: position === cell.statements.length - 1,
      }
      list.push(unit)
    })
    addUnseenChanges(list, cellIndex, seen)
    addUnseenDraws(list, cellIndex, seen)
    addUnseenDeletes(list, cellIndex, seen)
  }
  return { list, names, assumptions: [...assumptions] }
}

/** Else `_` is only where unwanted values go: an older one is not kept for a loop that may not run. */
function readsUnderscore(facts: NotebookFacts): boolean {
  return facts.cells.some(({ statements }) => statements.some(({ reads }) => reads.some(({ name }) => name === '_')))
}

function holds(statement: StatementFacts, magic: Magic): boolean {
  return (
    (magic.kind !== 'cell' && magic.span.line >= statement.span.line && magic.span.line <= statement.span.endLine) ||
    (statement.kind === 'magic' && magic.span.line === statement.span.line)
  )
}

function boundNames(facts: NotebookFacts): Set<string> {
  const names = new Set<string>()
  for (const cell of facts.cells) {
    for (const statement of cell.statements) {
      for (const name of statement.binds) names.add(name)
      for (const name of statement.mayBind) names.add(name)
      for (const definition of statement.definitions) for (const name of definition.lateWrites) names.add(name)
    }
  }
  return names
}

/** A tuple does not change, but what it holds may. */
function tupleNames(facts: NotebookFacts): Set<string> {
  const names = new Set<string>()
  for (const cell of facts.cells) {
    for (const statement of cell.statements) {
      for (const [name, types] of Object.entries(statement.bindTypes ?? {})) {
        if (types.some((type) => type === 'tuple' || type === 'frozenset')) names.add(name)
      }
    }
  }
  return names
}

function aliasesOf(statement: StatementFacts, tuples: ReadonlySet<string>): StatementFacts['aliases'] {
  const aliases = [...statement.aliases]
  for (const target of [...statement.binds, ...statement.mayBind]) {
    const types = statement.bindTypes?.[target] ?? []
    if (types.length > 0 && types.every((type) => DATA_TYPES.test(type))) continue
    for (const { name } of statement.reads) {
      if (name === target || aliases.some((alias) => alias.target === target && alias.source === name)) continue
      if (tuples.has(target) || tuples.has(name)) aliases.push({ target, source: name, kind: 'maybe' })
    }
  }
  return aliases
}

function readNames(statement: StatementFacts, names: ReadonlySet<string>): Set<string> {
  const reads = new Set(statement.reads.map((access) => access.name))
  for (const mutation of statement.mutations) reads.add(mutation.name)
  for (const call of statement.calls) if (call.receiver !== null) reads.add(call.receiver)
  // A definition's strings are read when it is called, not here.
  const defines = statement.kind === 'def' || statement.kind === 'class'
  if (!defines)
    for (const name of statement.namesInStrings)
      if (names.has(name) && mayBeReadByName(statement, name)) reads.add(name)
  return reads
}

const READS_NAMES =
  /(^|\.)(query|eval|sql|read_sql|read_sql_query|execute|ols|glm|logit|probit|mixedlm|dmatrices|dmatrix|from_formula|substitute|safe_substitute|format_map)$/u

/** In a query, a formula or SQL; a word of any other text is only a word. */
function mayBeReadByName(statement: StatementFacts, name: string): boolean {
  if (statement.calls.some((call) => READS_NAMES.test(call.callee))) return true
  return statement.literals.some((literal) => literal.value.includes(`@${name}`))
}

function changedNames(statement: StatementFacts, seen: ObservedCell | null, assumptions: Set<string>): Set<string> {
  const changed = new Set<string>()
  for (const mutation of statement.mutations) {
    if (!mutation.certain && seen !== null && seen.state === 'ok') {
      const touched = seen.mutated.includes(mutation.name) || seen.bound.includes(mutation.name)
      if (!touched) {
        assumptions.add(`${mutation.name} is not changed by ${mutation.how} in cell ${seen.index} on this data`)
        continue
      }
    }
    changed.add(mutation.name)
  }
  return changed
}

function isDrawing(seen: ObservedCell, name: string): boolean {
  return seen.values.some((value) => value.name === name && value.type.startsWith('matplotlib.'))
}

/** A change that the run showed and no statement claims happened through some name that we do not connect with it. */
function addUnseenChanges(list: Unit[], cell: number, seen: ObservedCell | null): void {
  if (seen === null) return
  const mine = list.filter((unit) => unit.cell === cell)
  const unclaimed = seen.mutated.filter(
    // Showing and closing a figure changes it; the cell that drew it keeps it.
    (name) => !isDrawing(seen, name) && !mine.some((unit) => unit.mutates.has(name) || unit.binds.includes(name)),
  )
  if (unclaimed.length === 0) return
  const active = mine.filter((unit) => unit.facts.mutations.length + unit.facts.calls.length > 0)
  for (const unit of active.length > 0 ? active : mine) {
    list[unit.id] = {
      ...unit,
      reads: new Set([...unit.reads, ...unclaimed]),
      mutates: new Set([...unit.mutates, ...unclaimed]),
      unseen: new Set(unclaimed),
    }
  }
}

/** `except E as e` takes the name away, an older value of it too: a run shows it, the code says only that it may bind. */
function addUnseenDeletes(list: Unit[], cell: number, seen: ObservedCell | null): void {
  const mine = list.filter((unit) => unit.cell === cell)
  for (const name of seen?.deleted ?? []) {
    if (mine.some((unit) => unit.deletes.includes(name))) continue
    const unit = mine.findLast((one) => one.mayBinds.includes(name)) ?? mine.at(-1)
    if (unit === undefined) continue
    const now = list[unit.id] ?? unit
    list[unit.id] = {
      ...now,
      mayBinds: now.mayBinds.filter((one) => one !== name),
      deletes: [...now.deletes, name],
    }
  }
}

/** `x` for `f(x)`; true when every occurrence of the name in this text is a direct call. */
export function onlyCalled(name: string, text: string): boolean {
  const escaped = name.replaceAll(/[^\w]/g, '')
  return !new RegExp(`(?<![\\w.])${escaped}\\b(?!\\s*\\()`, 'u').test(text)
}

const OWN_GENERATORS =
  /^(numpy\.random\.(default_rng|Generator|RandomState|SeedSequence|PCG64|MT19937)|random\.(Random|SystemRandom))$/u

/** Generators of the process, also where the catalogue does not know the function. */
export function randomTokens(tokens: readonly TokenUse[], calls: readonly Call[]): TokenUse[] {
  const found = tokens.filter((token) => token.token !== 'cfg:random')
  for (const call of calls) {
    const kind = call.callee.startsWith('random.') ? 'py' : call.callee.startsWith('numpy.random.') ? 'np' : null
    if (kind === null || OWN_GENERATORS.test(call.callee)) continue
    const token = `rng:${kind}`
    if (!found.some((one) => one.token === token && one.mode === 'write')) {
      found.push({ token, mode: 'write', why: call.callee, span: call.span })
    }
  }
  const unknownOfNumpy = /^calls numpy\.random\.\S+, of which/u
  return found.filter((token) => !(token.token === 'cfg:numpy' && unknownOfNumpy.test(token.why)))
}

/** A generator that moved although no statement is known to draw: every call of the cell may have. */
function addUnseenDraws(list: Unit[], cell: number, seen: ObservedCell | null): void {
  for (const token of seen?.changedTokens ?? []) {
    if (!token.startsWith('rng:')) continue
    const mine = list.filter((unit) => unit.cell === cell)
    if (mine.some((unit) => unit.tokens.some((use) => use.token === token))) continue
    for (const unit of mine) {
      if (unit.facts.calls.length === 0) continue
      const use: TokenUse = { token, mode: 'write', why: 'the generator moved in this cell', span: unit.facts.span }
      list[unit.id] = { ...unit, tokens: [...unit.tokens, use] }
    }
  }
}

const DATA_TYPES =
  /^(int|float|complex|bool|str|bytes|none|range|pandas\.(DataFrame|Series|Index)|numpy\.ndarray|numpy\.\w+)$/u

/** Plain data, which holds no code. */
export function isData(unit: Unit, name: string, seen: ObservedCell | null): boolean {
  const types = unit.facts.bindTypes?.[name] ?? []
  if (types.length > 0 && types.every((type) => DATA_TYPES.test(type))) return true
  const value = seen?.state === 'ok' ? seen.values.find((one) => one.name === name) : undefined
  if (value === undefined || value.kind === 'unserialisable' || value.definedHere) return false
  return (
    value.kind === 'table' ||
    /^(builtins\.(int|float|complex|bool|str|bytes|NoneType)|numpy\.[\w.]+|pandas\.core\.series\.Series|pandas\.core\.frame\.DataFrame)$/u.test(
      value.type,
    )
  )
}
