/** From facts of an asset file to its steps. Names are the folder below `assets/`, dotted, with the function's name. */
import type { Json } from '../../canonical.ts'
import type { DiagnosticCode } from '../../diagnostic-codes.ts'
import type { Diagnostic, Place } from '../../diagnostics.ts'
import { placeIn } from '../../fingerprint/python/closure-diagnostics.ts'
import type { ModuleFacts, StepFacts } from '../../fingerprint/python/facts.ts'
import { folderOfFile } from '../../fingerprint/python/modules.ts'
import { isRunTime } from '../../fingerprint/python/python-closures.ts'
import { nearestName } from '../../model/nearest.ts'
import type { AssetKind, CheckDefinition, InputDefinition, OutputDefinition } from '../../model/project.ts'
import type { StepDefinition } from '../../model/project.ts'
import { inputForm } from './input-form.ts'
import { OptionReader, asText, asTexts, oneOf, stepOptions } from './step-options.ts'
import type { GivenOption } from './step-options.ts'

export interface FoundSteps {
  readonly steps: readonly StepDefinition[]
  readonly diagnostics: readonly Diagnostic[]
}

const namePattern = /^[A-Za-z_][A-Za-z0-9_]*$/
const folderPattern = /^[A-Za-z_][A-Za-z0-9_-]*$/
const kinds = ['table', 'object', 'file'] as const

export function stepsOf(file: string, module: ModuleFacts): FoundSteps {
  const diagnostics: Diagnostic[] = module.diagnostics.map((found) => ({
    code: found.code as DiagnosticCode,
    severity: 'error',
    message: found.message,
    at: placeIn(file, found.at),
    notes: [],
    fix: found.fix,
  }))
  const steps = module.steps.map((facts) => {
    const reader = new StepBuilder(file, facts)
    const step = reader.build()
    diagnostics.push(...reader.diagnostics)
    return step
  })
  return { steps, diagnostics }
}

class StepBuilder {
  readonly diagnostics: Diagnostic[] = []
  readonly #file: string
  readonly #facts: StepFacts
  readonly #options: OptionReader
  readonly #folder: string

  constructor(file: string, facts: StepFacts) {
    this.#file = file
    this.#facts = facts
    const given = Object.entries(facts.options).map(([name, { value, at }]): [string, GivenOption] => [
      name,
      { value, at: placeIn(file, at) },
    ])
    this.#options = new OptionReader(Object.fromEntries(given))
    this.#folder = folderOfFile(file).split('/').slice(1).join('.')
  }

  build(): StepDefinition {
    const { kind, symbol } = this.#facts
    const place = placeIn(this.#file, this.#facts.at)
    this.#options.checkNames(kind)
    const name = this.#name(place)
    const id = this.#fullName(name)
    const step: StepDefinition = {
      id,
      kind,
      language: 'python',
      place,
      file: this.#file,
      symbol,
      inputs: this.#inputs(),
      outputs: this.#outputs(id, place),
      parameters: this.#parameters(),
      options: stepOptions(this.#options),
      description: this.#options.read('description', this.#facts.description, 'description="..."', asText),
      check: kind === 'check' ? this.#check() : null,
    }
    this.diagnostics.push(...this.#options.problems)
    return step
  }

  #fullName(name: string): string {
    return this.#folder === '' ? name : `${this.#folder}.${name}`
  }

  #name(place: Place): string {
    const name = this.#options.read('name', this.#facts.symbol, `name="${this.#facts.symbol}"`, asText)
    if (!namePattern.test(name)) this.#problem('D014', `'${name}' is not a name`, place, 'use letters, digits and _')
    const folder = this.#folder.split('.').find((part) => part !== '' && !folderPattern.test(part))
    if (folder !== undefined) {
      this.#problem(
        'D014',
        `the folder '${folder}' cannot be part of a name`,
        place,
        'rename it: letters, digits, _ and -',
      )
    }
    return name
  }

  #inputs(): InputDefinition[] {
    const columns = this.#reads()
    return this.#facts.inputs.map(({ argument, annotation, at }) => ({
      argument,
      reference: argument,
      target: null,
      annotation,
      form: inputForm(annotation),
      columns: columns.get(argument) ?? null,
      place: placeIn(this.#file, at),
    }))
  }

  #reads(): ReadonlyMap<string, readonly string[]> {
    const given = this.#options.read<Readonly<Record<string, Json | undefined>>>(
      'reads',
      {},
      'reads={"orders": ["id", "total"]}',
      asRecord,
    )
    const found = new Map<string, readonly string[]>()
    const known = this.#facts.inputs.map((input) => input.argument)
    for (const [argument, value] of Object.entries(given)) {
      const columns = value === undefined ? undefined : asTexts(value)
      if (!known.includes(argument)) {
        const near = nearestName(argument, known)
        this.#options.refuse(
          'reads',
          `'reads' names '${argument}', which is no input of '${this.#facts.symbol}'`,
          near === null ? `its inputs are ${known.join(', ') || 'none'}` : `did you mean '${near}'?`,
        )
      } else if (columns === undefined) {
        this.#options.refuse('reads', `'reads' of '${argument}' is not a list of columns`, 'reads={"orders": ["id"]}')
      } else found.set(argument, columns)
    }
    return found
  }

  #parameters(): StepDefinition['parameters'] {
    return this.#facts.parameters
      .filter((parameter) => !isRunTime(parameter))
      .map(({ at, ...parameter }) => ({ ...parameter, place: placeIn(this.#file, at) }))
  }

  #outputs(id: string, place: Place): OutputDefinition[] {
    const { kind } = this.#facts
    if (kind === 'check') return []
    if (kind !== 'asset') return [{ asset: id, output: '', kind, kindDeclared: true }]
    const declared = this.#options.read<AssetKind | null>('kind', null, 'kind="table"', (value) => oneOf(value, kinds))
    const names = this.#outputNames(place)
    if (names === null) return [this.#output(id, '', declared)]
    return names.map(([name, own]) => this.#output(this.#fullName(name), name, own ?? declared))
  }

  #output(asset: string, output: string, declared: AssetKind | null): OutputDefinition {
    const guess = inputForm(this.#facts.returns) === 'object' ? 'object' : 'table'
    return { asset, output, kind: declared ?? guess, kindDeclared: declared !== null }
  }

  /** Null for a single output without a name of its own. */
  #outputNames(place: Place): (readonly [string, AssetKind | null])[] | null {
    const names = this.#options.read<(readonly [string, AssetKind | null])[] | null>(
      'outputs',
      null,
      'outputs=("train", "test")',
      asOutputs,
    )
    if (names === null) return null
    const seen = new Set<string>()
    for (const [name] of names) {
      if (!namePattern.test(name)) this.#problem('D014', `'${name}' is not a name`, place, 'use letters, digits and _')
      if (seen.has(name)) this.#problem('D042', `the output '${name}' is there twice`, place, 'give each its own name')
      seen.add(name)
    }
    if (names.length === 0) {
      this.#problem(
        'D042',
        `'${this.#facts.symbol}' has no outputs`,
        place,
        'outputs=("train", "test"), or leave it out',
      )
    }
    return names
  }

  #check(): CheckDefinition {
    const { target } = this.#facts
    const severity = this.#options.read('severity', 'error', 'severity="warn"', (value) =>
      oneOf(value, ['error', 'warn'] as const),
    )
    return { asset: target?.name ?? this.#facts.inputs[0]?.argument ?? '', severity, rule: null }
  }

  #problem(code: DiagnosticCode, message: string, at: Place, fix: string): void {
    this.diagnostics.push({ code, severity: 'error', message, at, notes: [], fix })
  }
}

function asRecord(value: Json): Readonly<Record<string, Json | undefined>> | undefined {
  const isRecord = value !== null && typeof value === 'object' && !Array.isArray(value)
  return isRecord ? (value as Readonly<Record<string, Json | undefined>>) : undefined
}

function asOutputs(value: Json): (readonly [string, AssetKind | null])[] | undefined {
  const list = asTexts(value)
  if (list !== undefined) return list.map((name) => [name, null] as const)
  const record = asRecord(value)
  if (record === undefined) return undefined
  const outputs = Object.entries(record).map(([name, kind]) => [name, oneOf(kind ?? null, kinds)] as const)
  return outputs.every((output): output is readonly [string, (typeof kinds)[number]] => output[1] !== undefined)
    ? outputs
    : undefined
}
