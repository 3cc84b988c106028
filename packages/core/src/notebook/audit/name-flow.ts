/**
 * Where names of a notebook are bound, read and changed, in document order. Reads by a function count where it is
 * called, through all functions that it calls. Invariant: `mayHide` is true when names may be bound that nobody sees,
 * and then nothing is claimed to be undefined.
 */
import type { DefinitionFact, NotebookFacts, TokenUse } from '../ir.ts'
import type { PlacedStatement } from './audit-context.ts'

export interface NameUse {
  readonly name: string
  readonly cell: number
  readonly order: number
  readonly line: number
  /** The function through which it is read, for late reads. */
  readonly through: string | null
  /** False when the function is only passed on, and may run later. */
  readonly certain: boolean
}

export interface NameBinding {
  readonly name: string
  readonly cell: number
  readonly order: number
  readonly line: number
  readonly certain: boolean
  readonly statement: PlacedStatement
}

export interface NameFlow {
  readonly bindings: ReadonlyMap<string, readonly NameBinding[]>
  /** Reads at the time they happen; late reads at the calls of the function. */
  readonly reads: readonly NameUse[]
  readonly readsByName: ReadonlyMap<string, readonly NameUse[]>
  /** Names that some statement certainly changes in place, or deletes. */
  readonly changed: ReadonlySet<string>
  /** Names that functions read although nothing calls them at the top level. */
  readonly uncalled: readonly NameUse[]
  readonly definitions: ReadonlyMap<
    string,
    { readonly fact: DefinitionFact; readonly cell: number; readonly order: number; readonly line: number }
  >
  readonly mayHide: boolean
  readonly importedNames: ReadonlySet<string>
}

const HIDING = [
  'star-import',
  'exec',
  'globals',
  'locals',
  'run',
  'store',
  'get_ipython',
  'reset',
  'cut',
  'setattr-module',
  'language:R',
  'language:julia',
]

export function nameFlow(facts: NotebookFacts | null, statements: readonly PlacedStatement[]): NameFlow {
  const bindings = new Map<string, NameBinding[]>()
  const definitions = new Map<string, { fact: DefinitionFact; cell: number; order: number; line: number }>()
  const importedNames = new Set<string>()
  for (const statement of statements) {
    for (const binding of bindingsOf(statement)) {
      const known = bindings.get(binding.name)
      if (known === undefined) bindings.set(binding.name, [binding])
      else known.push(binding)
    }
    for (const fact of statement.facts.definitions) {
      definitions.set(fact.name, {
        fact,
        cell: statement.cell,
        order: statement.order,
        line: statement.facts.span.line,
      })
    }
    for (const { boundAs } of statement.facts.imports) importedNames.add(boundAs)
  }
  addWritesOfFunctions(bindings, definitions, statements)
  const { reads, called } = readsOf(statements, definitions)
  return {
    bindings,
    reads,
    readsByName: Map.groupBy(reads, ({ name }) => name),
    changed: changedNames(statements),
    uncalled: uncalledReads(definitions, called),
    definitions,
    mayHide: mayHide(facts, statements),
    importedNames,
  }
}

function changedNames(statements: readonly PlacedStatement[]): Set<string> {
  return new Set(
    statements.flatMap(({ facts }) => [
      ...facts.deletes,
      ...facts.mutations.filter(({ certain }) => certain).map(({ name }) => name),
    ]),
  )
}

function bindingsOf(statement: PlacedStatement): NameBinding[] {
  const place = { cell: statement.cell, order: statement.order, line: statement.facts.span.line, statement }
  return [
    ...statement.facts.binds.map((name) => ({ ...place, name, certain: true })),
    ...statement.facts.mayBind.map((name) => ({ ...place, name, certain: false })),
  ]
}

type Definitions = ReadonlyMap<
  string,
  { readonly fact: DefinitionFact; readonly cell: number; readonly order: number; readonly line: number }
>

/** `global x` in a function binds where the function is called. */
function addWritesOfFunctions(
  bindings: Map<string, NameBinding[]>,
  definitions: Definitions,
  statements: readonly PlacedStatement[],
): void {
  for (const statement of statements) {
    for (const call of statement.facts.calls) {
      for (const name of definitions.get(call.callee)?.fact.lateWrites ?? []) {
        const binding = {
          name,
          cell: statement.cell,
          order: statement.order,
          line: statement.facts.span.line,
          certain: false,
          statement,
        }
        const known = bindings.get(name)
        if (known === undefined) bindings.set(name, [binding])
        else known.push(binding)
      }
    }
  }
  for (const { fact, cell, order, line } of definitions.values()) {
    const statement = statements[order]
    for (const name of fact.lateWrites) {
      if (!bindings.has(name) && statement !== undefined)
        bindings.set(name, [{ name, cell, order, line, certain: false, statement }])
    }
  }
  for (const known of bindings.values()) known.sort((a, b) => a.order - b.order)
}

/** All names that calling a function may read, through the functions it names. */
export function lateReadsOf(name: string, definitions: Definitions): ReadonlySet<string> {
  const found = new Set<string>()
  const pending = [name]
  const seen = new Set<string>()
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    for (const read of definitions.get(next)?.fact.lateReads ?? []) {
      found.add(read)
      pending.push(read)
    }
  }
  return found
}

/** Tokens that calling a function may use, through the functions it names. */
export function lateTokensOf(name: string, definitions: Definitions): readonly TokenUse[] {
  const reached = [name, ...lateReadsOf(name, definitions)]
  return reached.flatMap((reachedName) => definitions.get(reachedName)?.fact.lateTokens ?? [])
}

/** Functions of the notebook that a statement calls, or passes to a call. */
export function functionsUsed(statement: PlacedStatement, definitions: Definitions): readonly string[] {
  const names = statement.facts.calls.flatMap((call) => [
    call.callee,
    call.receiver ?? '',
    ...Object.values(call.names),
  ])
  return [...new Set(names)].filter((name) => definitions.has(name))
}

function readsOf(
  statements: readonly PlacedStatement[],
  definitions: Definitions,
): { reads: NameUse[]; called: Set<string> } {
  const reads: NameUse[] = []
  const called = new Set<string>()
  for (const statement of statements) {
    const place = { cell: statement.cell, order: statement.order }
    for (const { name, span } of statement.facts.reads)
      reads.push({ ...place, name, line: span.line, through: null, certain: true })
    for (const name of functionsUsed(statement, definitions)) {
      called.add(name)
      const certain = statement.facts.calls.some((call) => call.callee === name)
      for (const read of lateReadsOf(name, definitions)) {
        called.add(read)
        reads.push({ ...place, name: read, line: statement.facts.span.line, through: name, certain })
      }
    }
  }
  return { reads, called }
}

function uncalledReads(definitions: Definitions, called: ReadonlySet<string>): NameUse[] {
  return [...definitions].flatMap(([name, { fact, cell, order, line }]) =>
    called.has(name)
      ? []
      : fact.lateReads.map((read) => ({ name: read, cell, order, line, through: name, certain: false })),
  )
}

function mayHide(facts: NotebookFacts | null, statements: readonly PlacedStatement[]): boolean {
  if (facts === null) return true
  if (facts.cells.some((cell) => cell.syntaxError !== null)) return true
  return statements.some(({ facts: { dynamic } }) =>
    dynamic.some((kind) => HIDING.includes(kind) || kind.startsWith('magic:')),
  )
}
