/**
 * Files and addresses that the notebook reads and did not make become sources: the path in the code is replaced by an
 * argument that carries the staged path. A path is repaired (N20) only to a file that exists; what cannot be found or
 * cannot be named is refused.
 */
import type { NotebookDocument } from '../document.ts'
import type { Refusal, Repair } from '../graduation.ts'
import type { Literal, Span, TokenUse } from '../ir.ts'
import { isDefinition, type Flow } from '../dataflow/flow.ts'
import type { Units } from '../dataflow/units.ts'
import { firstArgumentSpan, type TextEdit } from './python-text.ts'
import { mayBeSameFile } from './displays.ts'
import { identifier, type NameTable } from './names.ts'

export interface GraduatedSource {
  readonly name: string
  readonly path: string
  readonly original: string
  readonly cell: number
}

export interface SourcePlan {
  readonly sources: readonly GraduatedSource[]
  /** Unit to the names of sources that its step takes. */
  readonly usedBy: ReadonlyMap<number, readonly string[]>
  readonly edits: ReadonlyMap<number, readonly TextEdit[]>
  readonly repairs: readonly Repair[]
  readonly refusals: readonly Refusal[]
}

export interface SourceInput {
  readonly document: NotebookDocument
  readonly units: Units
  readonly flow: Flow
  readonly given: Readonly<Record<string, string>>
  /** Project-relative paths of all files, or null when not known. */
  readonly files: readonly string[] | null
  readonly names: NameTable
}

/** Functions whose first argument is the path. */
const READERS =
  /^(open|(pandas|polars)\.(read|scan)_\w+|numpy\.(load|loadtxt|genfromtxt|fromfile)|joblib\.load|xarray\.open_dataset|PIL\.Image\.open)$/u

export function findSources(input: SourceInput): SourcePlan {
  return new SourceFinder(input).find()
}

class SourceFinder {
  readonly #input: SourceInput
  readonly #sources = new Map<string, GraduatedSource>()
  readonly #usedBy = new Map<number, string[]>()
  readonly #edits = new Map<number, TextEdit[]>()
  readonly #repairs: Repair[] = []
  readonly #refusals: Refusal[] = []
  readonly #written: string[]

  constructor(input: SourceInput) {
    this.#input = input
    this.#written = input.flow.units.flatMap((flow) =>
      flow.tokens
        .filter((token) => token.mode === 'write' && token.token.startsWith('file:'))
        .map((token) => token.token),
    )
  }

  find(): SourcePlan {
    this.#input.flow.units.forEach((flow, id) => {
      const unit = this.#input.units.list[id]
      if (unit === undefined) return
      for (const token of flow.tokens) {
        if (token.mode !== 'read') continue
        if (token.token.startsWith('net:')) this.#address(id, unit.cell)
        if (!token.token.startsWith('file:')) continue
        if (this.#written.some((other) => mayBeSameFile(other, token.token))) {
          this.#refuseOverwritten(id, unit.cell, token)
          continue
        }
        this.#file(id, unit.cell, token)
      }
    })
    return {
      sources: [...this.#sources.values()],
      usedBy: this.#usedBy,
      edits: this.#edits,
      repairs: this.#repairs,
      refusals: this.#refusals,
    }
  }

  /** A file that was there before, is read, and is then written: the next run would read another one. */
  #refuseOverwritten(unit: number, cell: number, read: TokenUse): void {
    const writes = (id: number): boolean =>
      this.#input.flow.units[id]?.tokens.some(({ mode, token }) => mode === 'write' && token === read.token) === true
    const firstWrite = this.#input.units.list.findIndex((_, id) => writes(id))
    const original = read.token.slice('file:'.length)
    const path = joinPath(this.#input.document.path, original)
    if (firstWrite < 0 || firstWrite < unit || path === null || this.#input.files?.includes(path) !== true) return
    this.#refuse(
      'N23',
      cell,
      `${original} is read, and cell ${this.#input.units.list[firstWrite]?.cell ?? 0} overwrites it; write to another file`,
    )
  }

  #literals(unit: number, matches: (literal: Literal) => boolean): Literal[] {
    return (this.#input.units.list[unit]?.facts.literals ?? []).filter(
      (literal) => literal.type === 'str' && matches(literal),
    )
  }

  #file(unit: number, cell: number, token: TokenUse): void {
    const original = token.token.slice('file:'.length)
    if (original === ':memory:') return
    const found = original === '?' || original === '' ? null : this.#placeOf(unit, token, original)
    if (found === null) {
      this.#refuse(
        'N21',
        cell,
        `the path of a file that it reads (${original === '?' ? 'not known before it runs' : original}) is not written where it is read; write the path as text in the call`,
      )
      return
    }
    const path = this.#resolve(original, cell)
    if (path !== null) this.#use(found.unit, cell, original, path, found.spans)
  }

  /** Where the path stands: as text, as the name of a constant, as the first argument of a reader, or in a helper. */
  #placeOf(unit: number, token: TokenUse, original: string): { unit: number; spans: readonly Span[] } | null {
    const literals = this.#literals(unit, (literal) => literal.value === original)
    if (literals.length > 0) return { unit, spans: literals.map((literal) => literal.span) }
    const own = this.#input.units.list[unit]?.tokens.includes(token) === true
    if (own) {
      const names = (this.#input.units.list[unit]?.facts.reads ?? []).filter(
        (access) => access.path.length === 0 && this.#isConstant(access.name, original),
      )
      if (names.length > 0) return { unit, spans: names.map((access) => access.span) }
      const argument = READERS.test(token.why) ? this.#firstArgument(unit, token) : null
      return argument === null || original.includes('*') ? null : { unit, spans: [argument] }
    }
    for (const version of this.#input.flow.units[unit]?.uses.values() ?? []) {
      const maker = this.#input.flow.versions[version]?.unit ?? -1
      const definition = this.#input.units.list[maker]
      if (definition === undefined || !isDefinition(definition)) continue
      const inside = this.#literals(maker, (literal) => literal.value === original)
      if (inside.length > 0) return { unit: maker, spans: inside.map((literal) => literal.span) }
    }
    return null
  }

  /** A name that holds this text in the whole notebook. */
  #isConstant(name: string, value: string): boolean {
    const makers = this.#input.units.list.filter((one) =>
      [...one.binds, ...one.mayBinds, ...one.mutates, ...one.deletes].includes(name),
    )
    const only = makers[0]
    const literal = only?.facts.literals[0]
    return (
      makers.length === 1 && only?.facts.scalar?.name === name && literal?.type === 'str' && literal.value === value
    )
  }

  #firstArgument(unit: number, token: TokenUse): Span | null {
    const cell = this.#input.units.list[unit]?.cell ?? -1
    return firstArgumentSpan(this.#input.document.cells[cell]?.source ?? '', token.span)
  }

  #address(unit: number, cell: number): void {
    const literals = this.#literals(unit, (literal) => /^https?:\/\//u.test(literal.value))
    const reading = (this.#input.units.list[unit]?.facts.calls ?? []).some((call) =>
      /^(pandas|polars)\.(read|scan)_(csv|json|parquet|excel|table|ndjson|fwf)$/u.test(call.callee),
    )
    if (literals.length !== 1 || !reading) {
      this.#refuse(
        'N25',
        cell,
        'it reads from the network in a way that cannot be kept and replayed; save what it reads in a file',
      )
      return
    }
    const url = literals[0]?.value ?? ''
    this.#use(
      unit,
      cell,
      url,
      url,
      literals.map((literal) => literal.span),
    )
  }

  #use(unit: number, cell: number, original: string, path: string, spans: readonly Span[]): void {
    const source = this.#sources.get(path) ?? this.#declare(path, original, cell)
    const used = this.#usedBy.get(unit) ?? []
    if (!used.includes(source.name)) this.#usedBy.set(unit, [...used, source.name])
    const edits = this.#edits.get(unit) ?? []
    for (const span of spans) {
      if (edits.some((edit) => edit.span.line === span.line && edit.span.column === span.column)) continue
      edits.push({ span, text: source.name })
    }
    this.#edits.set(unit, edits)
  }

  #declare(path: string, original: string, cell: number): GraduatedSource {
    const given = Object.entries(this.#input.given).find(([, value]) => value === path)?.[0]
    const leaf =
      path
        .replace(/[?#].*$/u, '')
        .split('/')
        .findLast((part) => part !== '') ?? path
    const name = this.#input.names.take(given ?? identifier(leaf.replaceAll('*', 'all')))
    const source = { name, path, original, cell }
    this.#sources.set(path, source)
    return source
  }

  #resolve(original: string, cell: number): string | null {
    const leaf = original.replaceAll('\\', '/').split('/').at(-1) ?? original
    const given = this.#input.given
    const named = given[identifier(leaf)] ?? given[leaf] ?? given[original]
    if (named !== undefined) {
      this.#repair(original, named, cell, '--source')
      return named
    }
    const outside = /^([a-z]:|\/|~|\\)/iu.test(original)
    const relative = outside ? null : joinPath(this.#input.document.path, original)
    const files = this.#input.files
    if (files === null) {
      if (relative !== null) return relative
    } else if (relative !== null && (files.includes(relative) || isPattern(relative))) {
      return relative
    }
    const same = (files ?? []).filter((file) => file.split('/').at(-1) === leaf)
    if (same.length === 1 && same[0] !== undefined) {
      this.#repair(original, same[0], cell, null)
      return same[0]
    }
    this.#refuse(
      'N21',
      cell,
      same.length > 1
        ? `${original} is not here, and ${same.length} files are called ${leaf}; say which with --source ${identifier(leaf)}=PATH`
        : `${original} is not here; give it with --source ${identifier(leaf)}=PATH`,
    )
    return null
  }

  #repair(original: string, path: string, cell: number, confirmedBy: string | null): void {
    if (this.#repairs.some((repair) => repair.message.includes(original))) return
    this.#repairs.push({
      code: 'N20',
      cell,
      diff: `-${original}\n+${path}\n`,
      message: `${original} is read from ${path}`,
      confirmedBy,
    })
  }

  #refuse(code: string, cell: number, message: string): void {
    this.#refusals.push({ code, cell, message })
  }
}

function isPattern(path: string): boolean {
  return /[*?[]/u.test(path)
}

/** `../data/x.csv` beside `notebooks/a.ipynb` is `data/x.csv`; null when it leaves the project. */
export function joinPath(notebook: string, relative: string): string | null {
  const parts = notebook.split('/').slice(0, -1)
  for (const part of relative.replaceAll('\\', '/').split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) return null
  }
  return parts.join('/')
}
