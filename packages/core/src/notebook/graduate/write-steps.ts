/**
 * Turns planned steps into functions: names, arguments, the lines that give a version its notebook name back, settings
 * in force, and what is returned. Names are unique in the module; an argument is always called like the asset it reads.
 */
import type { GraduatedOutput, GraduatedStep } from '../graduation.ts'
import type { Observation, ObservedValue } from '../observation.ts'
import type { NotebookDocument } from '../document.ts'
import type { TokenUse } from '../ir.ts'
import type { Unit } from '../dataflow/units.ts'
import { CutError } from './cut-error.ts'
import type { PlannedStep } from './cut.ts'
import { globalNames } from './global-statements.ts'
import type { StepFacts } from './simulate.ts'
import { isDefinition } from '../dataflow/flow.ts'
import { isDisplayed } from './displayed-statements.ts'
import { annotationOf, isFrame, kindOf } from './annotations.ts'
import { proseAbove, titleOf } from './headings.ts'
import { displayFunction } from './display-function.ts'
import { cellsOf, nameSteps } from './name-steps.ts'
import type { NameTable } from './names.ts'
import { readingOrder } from './reading-order.ts'
import { joinPath, type SourcePlan } from './sources.ts'
import { observedValue } from './sticky.ts'
import { pythonString } from './python-text.ts'
import type { KeptQuery, QueryStep } from './sql-queries.ts'
import { stepAsQuery } from './sql-steps.ts'
import { bare, type FunctionText, type WrittenLine } from './write-module.ts'

export interface StepWriterInput extends StepFacts {
  readonly document: NotebookDocument
  readonly observation: Observation | null
  readonly steps: readonly PlannedStep[]
  readonly sources: SourcePlan
  readonly names: NameTable
  /** Settings that are not in force from the start: each later step repeats them. */
  readonly lateSettings: readonly number[]
  readonly lines: (unit: number, display: boolean) => readonly WrittenLine[]
  /** Module aliases: `pd` to `pandas`. */
  readonly aliases: ReadonlyMap<string, string>
  /** The statement's text, and which statements must not become SQL; null keeps all in Python. */
  readonly textOf: (unit: Unit) => string
  readonly inPython: ReadonlyMap<number, string> | null
}

export interface WrittenSteps {
  readonly functions: readonly FunctionText[]
  readonly steps: readonly Omit<GraduatedStep, 'file' | 'line'>[]
  readonly extraImports: ReadonlySet<string>
  readonly cellmillNames: ReadonlySet<string>
  readonly held: ReadonlyMap<string, string>
  readonly queries: readonly QueryStep[]
  readonly keptQueries: readonly KeptQuery[]
}

export class StepWriter {
  readonly #input: StepWriterInput
  readonly #assets: ReadonlyMap<number, string>
  readonly #functionNames: readonly string[]
  readonly #extraImports = new Set<string>()
  readonly #cellmill = new Set<string>()
  /** Markdown cells that stand in a docstring. */
  readonly #told = new Set<number>()
  readonly #held = new Map<string, string>()
  readonly #keptQueries: KeptQuery[] = []

  constructor(input: StepWriterInput) {
    this.#input = input
    const { assets, functions } = nameSteps(input)
    this.#assets = assets
    this.#functionNames = functions
    const title = titleOf(input.document)
    if (title !== null) this.#told.add(title.cell)
  }

  write(): WrittenSteps {
    const functions: FunctionText[] = []
    const steps: Omit<GraduatedStep, 'file' | 'line'>[] = []
    const queries: QueryStep[] = []
    const order = readingOrder(this.#input.steps)
    for (const at of order) {
      const step = this.#input.steps[at]
      if (step === undefined || this.#isIdle(step)) continue
      const query = this.#query(step, at)
      if (query !== null) {
        queries.push(query.query)
        steps.push(query.step)
        continue
      }
      const written = this.#step(step, at)
      functions.push(written.text)
      steps.push(written.step)
    }
    return {
      functions,
      steps,
      extraImports: this.#extraImports,
      cellmillNames: this.#cellmill,
      held: this.#held,
      queries,
      keptQueries: this.#keptQueries,
    }
  }

  /** Null where the step is Python. */
  #query(step: PlannedStep, at: number): { query: QueryStep; step: WrittenSteps['steps'][number] } | null {
    const found = stepAsQuery(
      {
        ...this.#input,
        valueOf: (version) => this.#valueOf(version),
        hasLateSettings: this.#input.lateSettings.some((id) => id < (step.units.at(-1) ?? 0)),
      },
      step,
    )
    if ('kept' in found) {
      this.#keptQueries.push(...found.kept)
      return null
    }
    const name = this.#functionNames[at] as string
    const inputs = step.simulation.inputs.map((one) => {
      const asset = this.#assets.get(one.version) ?? one.name
      return { argument: asset, asset, source: null, variable: one.name }
    })
    const cells = cellsOf(this.#input.units, step)
    return {
      query: {
        step: name,
        unit: found.unit.id,
        cell: found.unit.cell,
        sql: found.sql,
        description: this.#docstring(cells),
      },
      step: {
        name,
        kind: 'asset',
        language: 'sql',
        cells,
        inputs,
        outputs: this.#outputs(step),
        locals: [],
        afterRandom: null,
      },
    }
  }

  /** Definitions that nothing uses, and names deleted. */
  #isIdle(step: PlannedStep): boolean {
    if (step.kind !== 'asset' || step.outputs.length > 0) return false
    return step.units.every((id) => {
      const unit = this.#input.units.list[id]
      return unit !== undefined && (isDefinition(unit) || unit.facts.kind === 'del' || unit.facts.kind === 'import')
    })
  }

  #step(step: PlannedStep, at: number): { text: FunctionText; step: Omit<GraduatedStep, 'file' | 'line'> } {
    const name = this.#functionNames[at] as string
    const cells = cellsOf(this.#input.units, step)
    const inputs = this.#inputs(step)
    const body: WrittenLine[] = []
    for (const builtin of step.simulation.builtins) {
      this.#extraImports.add('import builtins')
      body.push(bare(`${builtin} = builtins.${builtin}`))
    }
    for (const input of inputs)
      if (input.asset !== null && input.argument !== input.variable)
        body.push(bare(`${input.variable} = ${input.argument}`))
    body.push(...this.#body(step))
    const outputs = this.#outputs(step)
    if (step.kind === 'file') body.push(...this.#fileReturn(step, body))
    else if (outputs.length > 0) this.#addReturn(step, body)
    const isReport = step.kind === 'report' || (step.kind === 'asset' && outputs.length === 0)
    return {
      text: {
        at: step.units[0] ?? 0,
        name,
        decorator: this.#decorator(step, isReport),
        parameters: inputs.map((input) =>
          input.annotation === '' ? input.argument : `${input.argument}: ${input.annotation}`,
        ),
        returns: this.#returns(step, isReport),
        docstring: this.#docstring(cells),
        body,
      },
      step: {
        name,
        kind: isReport ? 'report' : 'asset',
        language: 'python',
        cells,
        inputs: inputs.map(({ argument, asset, source, variable }) => ({ argument, asset, source, variable })),
        outputs:
          step.kind === 'file' ? [{ asset: name, kind: 'file', variables: [], afterCell: cells.at(-1) ?? 0 }] : outputs,
        locals: this.#locals(step),
        afterRandom: step.afterRandom === null ? null : this.#afterRandom(step.afterRandom),
        ...(this.#clockReads(step).length > 0 ? { readsClock: true } : {}),
      },
    }
  }

  #inputs(
    step: PlannedStep,
  ): { argument: string; asset: string | null; source: string | null; variable: string; annotation: string }[] {
    const assets = step.simulation.inputs.map((one) => {
      const asset = this.#assets.get(one.version)
      if (asset === undefined) throw new Error(`no asset holds ${one.name}`)
      const value = this.#valueOf(one.version)
      return { argument: asset, asset, source: null, variable: one.name, annotation: this.#annotation(value) }
    })
    const sources = new Set(step.simulation.body.flatMap((unit) => this.#input.sources.usedBy.get(unit) ?? []))
    return [
      ...[...sources].map((source) => ({ argument: source, asset: null, source, variable: source, annotation: 'str' })),
      ...assets,
    ]
  }

  #valueOf(version: number): ObservedValue | null {
    const found = this.#input.flow.versions[version]
    const unit = this.#input.units.list[found?.unit ?? -1]
    return found === undefined || unit === undefined ? null : observedValue(this.#input.observation, unit, found.name)
  }

  #annotation(value: ObservedValue | null): string {
    const made = annotationOf(value, this.#input.aliases, this.#input.units.names)
    if (made.needs !== null) this.#extraImports.add(made.needs)
    return made.text
  }

  #body(step: PlannedStep): WrittenLine[] {
    const last = step.units.at(-1) ?? 0
    const own = new Set(step.units)
    const settings = this.#input.lateSettings.filter((id) => id < last)
    const ids = [...step.simulation.body, ...settings].sort((a, b) => a - b)
    this.#bindGlobals(step, ids)
    return ids.flatMap((id) => {
      const displayed = own.has(id) && isDisplayed(this.#input, id)
      if (displayed) this.#extraImports.add(displayFunction(this.#input.units).line)
      return this.#input.lines(id, displayed)
    })
  }

  /** A name that only functions bind is no local of the step. */
  #bindGlobals(step: PlannedStep, ids: readonly number[]): void {
    const bound = new Set(step.simulation.inputs.map((one) => one.name))
    const list = ids.flatMap((id) => this.#input.units.list[id] ?? [])
    for (const unit of list) for (const name of [...unit.binds, ...unit.mayBinds]) bound.add(name)
    for (const unit of list) {
      const source = this.#input.document.cells[unit.cell]?.source ?? ''
      const lost = globalNames(source, unit).names.find((name) => !bound.has(name))
      if (lost === undefined) continue
      throw new CutError('N11', unit.id, `${unit.binds[0] ?? 'a function'} rebinds ${lost}, which nothing else defines`)
    }
  }

  #outputs(step: PlannedStep): GraduatedOutput[] {
    return step.outputs.map((one) => {
      const asset = this.#assets.get(one.version) ?? one.name
      const unit = this.#input.units.list[this.#input.flow.versions[one.version]?.unit ?? -1]
      if (this.#input.flow.final.get(one.name) === one.version) this.#held.set(one.name, asset)
      return { asset, kind: kindOf(this.#valueOf(one.version)), variables: [one.name], afterCell: unit?.cell ?? 0 }
    })
  }

  #decorator(step: PlannedStep, isReport: boolean): string {
    if (isReport) {
      this.#cellmill.add('report')
      return '@report'
    }
    this.#cellmill.add('asset')
    const options: string[] = []
    if (step.kind === 'file') {
      const path = joinPath(this.#input.document.path, step.writes[0] ?? '') ?? step.writes[0] ?? ''
      options.push('kind="file"', `export=${pythonString(path)}`)
    }
    const kinds = step.outputs.map((one) => ({
      asset: this.#assets.get(one.version) ?? '',
      value: this.#valueOf(one.version),
    }))
    if (kinds.length === 1 && kinds[0] !== undefined && isFrame(kinds[0].value) && kindOf(kinds[0].value) === 'object')
      options.push('kind="object"')
    if (kinds.length > 1) {
      const mapped = kinds.map((one) => `${pythonString(one.asset)}: "${kindOf(one.value)}"`)
      const plain = kinds.every((one) => kindOf(one.value) === 'table' || !isFrame(one.value))
      options.push(
        plain
          ? `outputs=(${kinds.map((one) => pythonString(one.asset)).join(', ')})`
          : `outputs={${mapped.join(', ')}}`,
      )
    }
    if (step.afterRandom !== null) options.push(`after_random=${pythonString(this.#afterRandom(step.afterRandom))}`)
    const clock = this.#clock(step)
    if (clock !== null) options.push(`refresh="${clock}"`)
    return options.length === 0 ? '@asset' : `@asset(${options.join(', ')})`
  }

  /** Timings alone never make a result old; dates do. */
  #clock(step: PlannedStep): string | null {
    const reads = this.#clockReads(step)
    if (reads.length === 0) return null
    return reads.every((token) => /perf_counter|process_time|monotonic|\btime\.time\b/u.test(token.why))
      ? 'never'
      : 'always'
  }

  #clockReads(step: PlannedStep): readonly TokenUse[] {
    return step.simulation.body
      .flatMap((unit) => this.#input.flow.units[unit]?.tokens ?? [])
      .filter((token) => token.token === 'clock' || token.token === 'entropy')
  }

  #afterRandom(at: number): string {
    const before = this.#input.steps[at]
    return this.#assets.get(before?.outputs[0]?.version ?? -1) ?? this.#functionNames[at] ?? ''
  }

  #returns(step: PlannedStep, isReport: boolean): string {
    if (isReport) return 'None'
    if (step.kind === 'file') return 'str'
    return step.outputs.length === 1 ? this.#annotation(this.#valueOf(step.outputs[0]?.version ?? -1)) : ''
  }

  /** `x = f()` at the end of the step that makes x is `return f()`, as a person would write it. */
  #addReturn(step: PlannedStep, body: WrittenLine[]): void {
    const names = step.outputs.map((one) => one.name)
    const last = this.#input.units.list[step.simulation.body.at(-1) ?? -1]
    const late = this.#input.lateSettings.some((id) => id < (last?.id ?? 0) && id > (step.units[0] ?? 0))
    const name = names[0] ?? ''
    const rows = last === undefined ? 0 : last.facts.span.endLine - last.facts.span.line + 1
    const at = body.length - rows
    const line = body[at]
    const simple =
      last !== undefined &&
      names.length === 1 &&
      last.facts.kind === 'assign' &&
      last.binds.length === 1 &&
      last.binds[0] === name &&
      last.mutates.size === 0 &&
      !late &&
      line !== undefined &&
      !line.raw &&
      line.text.startsWith(`${name} = `) &&
      !/^\w+ = [\w.]+ = /u.test(line.text) &&
      !new RegExp(`\\b${name.replaceAll(/\W/gu, '')}\\s*:=`, 'u').test(
        body
          .slice(at)
          .map((one) => one.text)
          .join('\n'),
      ) &&
      !last.facts.aliases.some((alias) => alias.kind === 'same')
    if (
      simple &&
      step.outputs[0] !== undefined &&
      this.#input.flow.units[last.id]?.defs.get(name) === step.outputs[0].version
    ) {
      body[at] = { ...line, text: `return ${line.text.slice(name.length + 3)}` }
      return
    }
    body.push(bare(`return ${names.join(', ')}`))
  }

  #fileReturn(step: PlannedStep, body: WrittenLine[]): WrittenLine[] {
    const path = step.writes[0] ?? ''
    const folder = path.replaceAll('\\', '/').split('/').slice(0, -1).join('/')
    if (folder !== '') {
      this.#extraImports.add('import os')
      body.unshift(bare(`os.makedirs(${pythonString(folder)}, exist_ok=True)`))
    }
    return [bare(`return ${pythonString(path)}`)]
  }

  #docstring(cells: readonly number[]): string {
    const first = cells[0]
    if (first === undefined) return ''
    return proseAbove(this.#input.document, first, this.#told)
  }

  /** Names whose value at the notebook's end is what the step's function holds at its own end. */
  #locals(step: PlannedStep): string[] {
    const outputs = new Set(step.outputs.map((one) => one.name))
    const made = new Set(
      step.simulation.body.flatMap((unit) => [...(this.#input.flow.units[unit]?.defs.values() ?? [])]),
    )
    return [...step.simulation.end].flatMap(([name, version]) =>
      made.has(version) && this.#input.flow.final.get(name) === version && !outputs.has(name) ? [name] : [],
    )
  }
}
