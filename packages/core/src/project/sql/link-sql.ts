/**
 * Joins SQL assets with the rest of the project: macros they call, views they inline, checks as steps of their own, and
 * everything in a query that would make it read what is not declared.
 */
import type { Diagnostic, Place } from '../../diagnostics.ts'
import type { VolatileUse } from '../../fingerprint/closures.ts'
import type { NamedPlace, QueryFacts } from '../../fingerprint/sql/query-facts.ts'
import type { SqlStepFacts } from '../../fingerprint/sql/sql-closures.ts'
import { volatileCalls } from '../../fingerprint/sql/volatile-functions.ts'
import type { InputDefinition, StepDefinition } from '../../model/project.ts'
import { folderOf } from '../../model/references.ts'
import type { NameIndex } from '../../model/references.ts'
import type { ClosureUnit } from '../../model/recipe.ts'
import { placeAt } from '../place.ts'
import { reachedMacros } from './discover-macros.ts'
import type { MacroFact } from './discover-macros.ts'
import type { DiscoveredSql, SqlAsset } from './discover-sql.ts'
import { checkSteps } from './check-steps.ts'
import { forbiddenUses } from './forbidden-uses.ts'

export interface LinkedSql {
  readonly steps: readonly StepDefinition[]
  readonly facts: Readonly<Record<string, SqlStepFacts>>
  /** `$name` that no `@param` of the file declares, with its step. */
  readonly parameters: readonly { readonly name: string; readonly place: Place }[]
  readonly diagnostics: readonly Diagnostic[]
}

/** `materialised`: views that something other than a query reads, which are therefore built as tables too. */
export function linkSql(discovered: DiscoveredSql, names: NameIndex, materialised: ReadonlySet<string>): LinkedSql {
  const views = new Map(discovered.assets.filter((asset) => asset.annotations.isView).map((view) => [view.name, view]))
  const steps: StepDefinition[] = []
  const facts: Record<string, SqlStepFacts> = {}
  const parameters: { name: string; place: Place }[] = []
  const diagnostics: Diagnostic[] = []
  for (const asset of discovered.assets) {
    diagnostics.push(...forbiddenUses(asset, discovered.macros))
    if (asset.annotations.isView) diagnostics.push(...viewProblems(asset))
    const needsTable = materialised.has(asset.name) || asset.annotations.checks.length > 0
    if (asset.annotations.isView && !needsTable) continue
    const reached = reachViews(asset, views, names)
    diagnostics.push(...reached.diagnostics)
    const joined = joinFacts(asset, reached.views, discovered.macros)
    steps.push(stepOf(asset, reached.inputs))
    facts[asset.name] = joined.facts
    parameters.push(...joined.parameters)
    const checks = checkSteps(asset, discovered.macros)
    steps.push(...checks.steps)
    Object.assign(facts, checks.facts)
    diagnostics.push(...checks.diagnostics)
  }
  return { steps, facts, parameters, diagnostics }
}

function viewProblems(view: SqlAsset): Diagnostic[] {
  const [parameter] = view.facts.parameters
  if (parameter === undefined) return []
  const at = placeAt(view.file, view.text, parameter.offset ?? 0, parameter.name.length + 1)
  return [
    {
      code: 'D020',
      severity: 'error',
      message: 'a view cannot read parameters',
      at,
      notes: [],
      fix: 'remove  -- @materialize view, or filter in its readers',
    },
  ]
}

interface InlinedView {
  readonly view: SqlAsset
  /** Name by which the reader's FROM calls it. */
  readonly relation: string
}

interface Reached {
  readonly views: readonly InlinedView[]
  readonly inputs: readonly InputDefinition[]
  readonly diagnostics: readonly Diagnostic[]
}

/** Follows FROM through views, so that the reader's inputs are tables and sources only. */
function reachViews(asset: SqlAsset, views: ReadonlyMap<string, SqlAsset>, names: NameIndex): Reached {
  const reach = new ViewReach(asset, views, names)
  reach.follow(asset)
  return reach
}

class ViewReach implements Reached {
  readonly views: InlinedView[] = []
  readonly inputs: InputDefinition[] = []
  readonly diagnostics: Diagnostic[] = []
  readonly #asset: SqlAsset
  readonly #known: ReadonlyMap<string, SqlAsset>
  readonly #names: NameIndex
  /** What each relation's name, without case, means in the whole of the reader's query. */
  readonly #meanings: Map<string, string> = new Map()
  readonly #open: Set<string> = new Set()

  constructor(asset: SqlAsset, known: ReadonlyMap<string, SqlAsset>, names: NameIndex) {
    this.#asset = asset
    this.#known = known
    this.#names = names
  }

  follow(reader: SqlAsset): void {
    this.#open.add(reader.name)
    for (const relation of reader.facts.relations) if (!relation.isFile) this.#relation(reader, relation)
    this.#open.delete(reader.name)
  }

  #relation(reader: SqlAsset, { name, offset }: NamedPlace): void {
    const place = placeAt(reader.file, reader.text, offset ?? 0, name.length)
    const resolution = this.#names.resolve(name, folderOf(reader.name))
    const means = resolution.type === 'found' ? resolution.name : name
    const view = this.#known.get(means)
    if (view !== undefined && this.#open.has(view.name)) {
      this.#report('D012', place, `the view '${view.name}' reads itself`, 'take it out of its own FROM')
      return
    }
    const before = this.#meanings.get(name.toLowerCase())
    if (before !== undefined) {
      if (before === means) return
      const message = `'${name}' means ${before} in one place and ${means} in another of this query and its views`
      this.#report('D011', place, message, `write the full name, such as ${means}`)
      return
    }
    this.#meanings.set(name.toLowerCase(), means)
    if (view !== undefined) {
      this.follow(view)
      this.views.push({ view, relation: name })
      return
    }
    // A view's FROM is resolved where the view stands, so its full name goes into the reader's.
    const reference = reader === this.#asset ? name : means
    const common = { target: null, annotation: '', form: 'relation', columns: null } as const
    this.inputs.push({ ...common, argument: name, reference, place })
  }

  #report(code: Diagnostic['code'], at: Place, message: string, fix: string): void {
    this.diagnostics.push({ code, severity: 'error', message, at, notes: [], fix })
  }
}

interface Joined {
  readonly facts: SqlStepFacts
  readonly parameters: readonly { readonly name: string; readonly place: Place }[]
}

function joinFacts(asset: SqlAsset, inlined: readonly InlinedView[], macros: readonly MacroFact[]): Joined {
  const queries = [asset, ...inlined.map(({ view }) => view)]
  const calls = queries.flatMap(({ facts }) => facts.functions.map((call) => call.name.toLowerCase()))
  const reached = reachedMacros(macros, calls)
  const units: ClosureUnit[] = [
    { module: '.', unit: 'query', digest: asset.facts.digest },
    ...reached.map((macro) => ({ module: 'macro', unit: macro.name, digest: macro.digest })),
    ...inlined.map(({ view, relation }) => ({ module: 'view', unit: relation, digest: view.facts.digest })),
  ]
  const own = new Set(asset.annotations.parameters.map((parameter) => parameter.name))
  const projectParameters = asset.facts.parameters.filter(({ name }) => !own.has(name))
  const readsAll = reached.length > 0 || queries.some(({ facts }) => facts.reads === null)
  return {
    facts: {
      units,
      reads: readsAll ? null : [...new Set(queries.flatMap(({ facts }) => facts.reads ?? []))].sort(),
      unordered: asset.facts.order.unordered,
      sorted: asset.facts.order.sorted,
      orderFree: reached.length === 0 && queries.every(({ facts }) => facts.order.orderFree),
      volatile: [...queries.flatMap(volatileOf), ...reached.flatMap((macro) => macro.volatile)],
      projectParameters: projectParameters.map(({ name }) => name),
      sql: asset.text,
      macros: [...reached.flatMap((macro) => macro.statements), ...inlined.flatMap(viewStatements)],
      files: [...new Set([...queries.map(({ file }) => file), ...reached.map((macro) => macro.file)])].sort(),
    },
    parameters: projectParameters.map(({ name, offset }) => ({
      name,
      place: placeAt(asset.file, asset.text, offset ?? 0, name.length + 1),
    })),
  }
}

function volatileOf({
  file,
  text,
  facts,
}: {
  readonly file: string
  readonly text: string
  readonly facts: QueryFacts
}): VolatileUse[] {
  return volatileCalls(facts).map(({ kind, what, offset }) => ({
    kind,
    what,
    file,
    line: placeAt(file, text, offset ?? 0, 1).line,
  }))
}

function viewStatements({ view, relation }: InlinedView): string[] {
  const parts = relation.split('.').map((part) => `"${part.replaceAll('"', '""')}"`)
  const schema = parts.length > 1 ? [`CREATE SCHEMA IF NOT EXISTS ${parts.slice(0, -1).join('.')}`] : []
  return [...schema, `CREATE VIEW ${parts.join('.')} AS\n${withoutEnd(view.text)}`]
}

function withoutEnd(text: string): string {
  return text.replace(/(?:;|\s)+$/, '')
}

function stepOf(asset: SqlAsset, inputs: readonly InputDefinition[]): StepDefinition {
  const { options, parameters, description } = asset.annotations
  return {
    id: asset.name,
    kind: 'asset',
    language: 'sql',
    place: asset.place,
    file: asset.file,
    symbol: '',
    inputs,
    outputs: [{ asset: asset.name, output: '', kind: 'table', kindDeclared: true }],
    parameters,
    options,
    description,
    check: null,
  }
}
