/** Options, inputs and parameters of a step from its object literal, with everything that is wrong in them. */
import type { Json } from '../../canonical.ts'
import type { Diagnostic, Place } from '../../diagnostics.ts'
import type { BindingFact } from '../../fingerprint/typescript/facts.ts'
import { nearestName } from '../../model/nearest.ts'
import type {
  AssetKind,
  CheckDefinition,
  InputDefinition,
  OutputDefinition,
  ParameterDefinition,
  Severity,
  StepDefinition,
  StepOptions,
} from '../../model/project.ts'
import { placeAt } from '../place.ts'
import { assetName } from '../sql/discover-sql.ts'
import { defaultOptions } from '../../model/default-options.ts'
import { plainName } from '../step-options.ts'
import { literalValue } from './literals.ts'
import type { Node } from './parse-typescript.ts'
import { readOption } from './read-option.ts'
import { keyOf, plain, propertyValue, sdkName } from './step-calls.ts'
import type { StepCall } from './step-calls.ts'

export interface StepModule {
  readonly file: string
  readonly text: string
  readonly bindings: Readonly<Record<string, BindingFact>>
  /** Full name of the asset that a constant of this module, or an imported one, holds. */
  readonly assetOf: (symbol: string) => string | null
}

export interface ReadStep {
  /** Null when the call cannot be understood at all. */
  readonly step: StepDefinition | null
  readonly diagnostics: readonly Diagnostic[]
}

/** Where `run` finds them, besides inputs. */
const reserved = new Set(['params', 'runTime', 'random', 'secrets', 'idempotencyKey'])
const common = [
  'name',
  'inputs',
  'params',
  'run',
  'refresh',
  'retries',
  'timeout',
  'memory',
  'network',
  'secrets',
  'tags',
  'description',
  'owner',
]
const own: Readonly<Record<StepCall['kind'], readonly string[]>> = {
  asset: ['kind', 'outputs', 'random', 'export'],
  check: ['asset', 'severity'],
  report: [],
  effect: [],
}

export function readStep(call: StepCall, module: StepModule): ReadStep {
  const reader = new StepReader(call, module)
  const step = reader.read()
  return { step, diagnostics: reader.diagnostics }
}

class StepReader {
  readonly diagnostics: Diagnostic[] = []
  readonly #call: StepCall
  readonly #module: StepModule

  constructor(call: StepCall, module: StepModule) {
    this.#call = call
    this.#module = module
  }

  read(): StepDefinition | null {
    const { options, kind } = this.#call
    if (!this.#call.isExported) {
      this.#report(
        'D042',
        this.#call.id,
        `'${this.#call.symbol}' is not exported, so it cannot be run`,
        `write  export const ${this.#call.symbol} = ..`,
      )
      return null
    }
    if (options === null) {
      this.#report(
        'D042',
        this.#call.call,
        `the options of '${this.#call.symbol}' are not written here`,
        `write  ${kind}({ inputs: {}, run() {} })`,
      )
      return null
    }
    if (this.#call.run === null)
      this.#report(
        'D042',
        this.#call.id,
        `'${this.#call.symbol}' has no run function`,
        'add  run({ .. }) { return [] }',
      )
    const values = this.#options(options)
    const name = this.#name(values.description.name)
    if (name === null) return null
    const inputs = this.#inputs(propertyValue(options, 'inputs'))
    return {
      id: name,
      kind,
      language: 'typescript',
      place: this.#place(this.#call.id),
      file: this.#module.file,
      symbol: this.#call.symbol,
      inputs,
      outputs: this.#outputs(name, values.description),
      parameters: this.#parameters(propertyValue(options, 'params')),
      options: values.options,
      description: values.description.description ?? '',
      check: kind === 'check' ? this.#check(options, inputs, values.description.severity ?? 'error') : null,
    }
  }

  #place(node: Node): Place {
    return placeAt(this.#module.file, this.#module.text, node.start, node.end - node.start)
  }

  #report(code: Diagnostic['code'], node: Node, message: string, fix: string): void {
    this.diagnostics.push({ code, severity: 'error', message, at: this.#place(node), notes: [], fix })
  }

  #options(object: Node): { options: StepOptions; description: DescribedStep } {
    const known = [...common, ...own[this.#call.kind]]
    let options = defaultOptions
    let description: DescribedStep = {}
    for (const property of object['properties'] as readonly Node[]) {
      const key = property.type === 'Property' ? keyOf(property) : null
      if (key === null) {
        this.#report(
          'D020',
          property,
          'options are read without running the file, so they must be written out',
          'write each option by name',
        )
        continue
      }
      if (!known.includes(key)) {
        const near = nearestName(key, known)
        this.#report(
          'D020',
          property['key'] as Node,
          `${this.#call.kind}() has no option '${key}'`,
          near === null ? `remove '${key}'` : `did you mean '${near}'?`,
        )
        continue
      }
      if (['inputs', 'params', 'run', 'asset'].includes(key)) continue
      const value = literalValue(property['value'] as Node)
      const read = value === undefined ? { expected: 'a literal' } : readOption(key, value)
      if ('expected' in read)
        this.#report(
          'D020',
          property['value'] as Node,
          `'${key}' takes ${read.expected}`,
          read.expected === 'a literal' ? 'write the value itself here' : `write ${read.expected}`,
        )
      else {
        options = { ...options, ...read.options }
        description = { ...description, ...read.description }
      }
    }
    return { options, description }
  }

  #name(given: string | undefined): string | null {
    const name = assetName(this.#module.file, given ?? this.#call.symbol)
    if (name === null)
      this.#report(
        'D014',
        this.#call.id,
        `'${given ?? this.#call.symbol}' in ${this.#module.file} cannot be a name`,
        'use letters, digits and _ in folders and names',
      )
    return name
  }

  #inputs(given: Node | null): readonly InputDefinition[] {
    const object = plain(given)
    if (object === null) return []
    if (object.type !== 'ObjectExpression') {
      this.#report(
        'D020',
        object,
        'inputs are read without running the file, so they must be written out',
        'write  inputs: { orders: table() }',
      )
      return []
    }
    return (object['properties'] as readonly Node[]).flatMap((property) => this.#input(property) ?? [])
  }

  #input(property: Node): InputDefinition | null {
    const key = property.type === 'Property' ? keyOf(property) : null
    const call = key === null ? null : plain(property['value'] as Node)
    const kind = call?.type === 'CallExpression' ? sdkName(call['callee'] as Node, this.#module.bindings) : null
    if (key === null || (kind !== 'table' && kind !== 'object' && kind !== 'path')) {
      this.#report('D020', property, 'an input is table(), object() or path()', 'write for instance  orders: table()')
      return null
    }
    if (reserved.has(key)) {
      this.#report(
        'D014',
        property['key'] as Node,
        `'${key}' is what run gets besides its inputs`,
        `write  orders_${key.toLowerCase()}: table({ from: '${key}' })`,
      )
      return null
    }
    const argument = (call!['arguments'] as readonly Node[])[0] ?? null
    const options = argument === null ? {} : literalValue(argument)
    const {
      from = key,
      columns = null,
      as = 'rows',
    } = (isRecord(options) ? options : {}) as { from?: Json; columns?: Json; as?: Json }
    const fits =
      isRecord(options) &&
      typeof from === 'string' &&
      (columns === null || isNames(columns)) &&
      (as === 'rows' || as === 'columns')
    const unknown = isRecord(options)
      ? Object.keys(options).find((option) => !inputOptions[kind].includes(option))
      : undefined
    if (!fits || unknown !== undefined) {
      const near = unknown === undefined ? null : nearestName(unknown, inputOptions[kind])
      const fix =
        near === null
          ? "write for instance  table({ from: 'orders', columns: ['id'], as: 'columns' })"
          : `did you mean '${near}'?`
      this.#report(
        'D020',
        argument ?? property,
        unknown === undefined ? `the options of ${kind}() are literals` : `${kind}() has no option '${unknown}'`,
        fix,
      )
      return null
    }
    return {
      argument: key,
      reference: from,
      target: null,
      annotation: kind === 'table' ? as : kind,
      form: kind === 'table' ? 'rows' : kind,
      columns,
      place: this.#place(property['key'] as Node),
    }
  }

  #parameters(given: Node | null): readonly ParameterDefinition[] {
    const object = plain(given)
    if (object === null) return []
    if (object.type !== 'ObjectExpression') {
      this.#report(
        'D020',
        object,
        'params are read without running the file, so they must be written out',
        'write  params: { days: int(30) }',
      )
      return []
    }
    return (object['properties'] as readonly Node[]).flatMap((property) => this.#parameter(property) ?? [])
  }

  #parameter(property: Node): ParameterDefinition | null {
    const key = property.type === 'Property' ? keyOf(property) : null
    const call = key === null ? null : plain(property['value'] as Node)
    const type = call?.type === 'CallExpression' ? sdkName(call['callee'] as Node, this.#module.bindings) : null
    if (type === 'fromProject') return null
    const value =
      call?.type === 'CallExpression' ? literalValue((call['arguments'] as readonly Node[])[0] ?? null) : undefined
    if (key === null || !isParameterType(type) || !fitsType(type, value)) {
      this.#report(
        'D021',
        property,
        'a parameter is int(), float(), bool(), str() or date() around a literal',
        "write for instance  days: int(30)  or  since: date('2024-01-31')",
      )
      return null
    }
    return { name: key, type, default: value!, required: false, place: this.#place(property['key'] as Node) }
  }

  #outputs(name: string, { kind, outputs }: DescribedStep): readonly OutputDefinition[] {
    const leaf = this.#call.kind
    if (leaf === 'check') return []
    if (leaf !== 'asset') return [{ asset: name, output: '', kind: leaf, kindDeclared: true }]
    const made = { kind: kind ?? ('table' as const), kindDeclared: kind !== undefined }
    if (outputs === undefined) return [{ asset: name, output: '', ...made }]
    return outputs.flatMap((output) => {
      const asset = plainName.test(output) ? assetName(this.#module.file, output) : null
      if (asset === null)
        this.#report('D014', this.#call.id, `'${output}' cannot be the name of an asset`, 'use letters, digits and _')
      return asset === null ? [] : [{ asset, output, ...made }]
    })
  }

  #check(options: Node, inputs: readonly InputDefinition[], severity: Severity): CheckDefinition {
    const given = plain(propertyValue(options, 'asset'))
    const written = given === null ? undefined : literalValue(given)
    const named =
      given?.type === 'Identifier'
        ? this.#module.assetOf(String(given['name']))
        : typeof written === 'string'
          ? written
          : null
    const asset = given === null ? (inputs.length === 1 ? inputs[0]!.reference : null) : named
    if (asset === null) {
      const message =
        given === null
          ? `the check '${this.#call.symbol}' does not say which asset it guards`
          : 'asset is the name of an asset, or the asset itself'
      this.#report('D043', given ?? this.#call.id, message, `add  asset: '${inputs[0]?.reference ?? 'orders'}'`)
    }
    return { asset: asset ?? inputs[0]?.reference ?? '', severity, rule: null }
  }
}

/** Options that say what a step is rather than how it runs. */
export interface DescribedStep {
  readonly name?: string
  readonly description?: string
  readonly kind?: Extract<AssetKind, 'table' | 'object' | 'file'>
  readonly outputs?: readonly string[]
  readonly severity?: Severity
}

const inputOptions: Readonly<Record<'table' | 'object' | 'path', readonly string[]>> = {
  table: ['from', 'columns', 'as'],
  object: ['from'],
  path: ['from'],
}

function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isNames(value: Json): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((name) => typeof name === 'string') &&
    new Set(value).size === value.length
  )
}

type OwnType = 'int' | 'float' | 'bool' | 'str' | 'date'

function isParameterType(type: string | null): type is OwnType {
  return type !== null && ['int', 'float', 'bool', 'str', 'date'].includes(type)
}

function fitsType(type: OwnType, value: Json | undefined): boolean {
  switch (type) {
    case 'int':
      return Number.isSafeInteger(value)
    case 'float':
      return typeof value === 'number' && Number.isFinite(value)
    case 'bool':
      return typeof value === 'boolean'
    case 'str':
      return typeof value === 'string'
    case 'date':
      return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value))
  }
}
