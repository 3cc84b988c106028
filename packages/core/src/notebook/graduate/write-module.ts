/**
 * The module's text from a plan: imports once at the top, parameters, settings, then helpers and steps in reading order.
 * Every line remembers the cell it came from. The text of statements is moved, never printed anew.
 */
import type { NotebookDocument } from '../document.ts'
import type { LineOrigin } from '../graduation.ts'
import type { Unit } from '../dataflow/units.ts'
import { isModuleRole, type Roles } from './roles.ts'
import { indented, ownLine, type TextLine } from './python-text.ts'
import { docstringLines } from './headings.ts'

export interface WrittenLine extends TextLine {
  readonly cell: number | null
}

export interface FunctionText {
  /** Position that decides reading order: the first unit. */
  readonly at: number
  readonly name: string
  readonly decorator: string
  readonly parameters: readonly string[]
  readonly returns: string
  readonly docstring: string
  readonly body: readonly WrittenLine[]
}

export interface ModuleInput {
  readonly document: NotebookDocument
  readonly title: string
  readonly units: readonly Unit[]
  readonly roles: Roles
  readonly functions: readonly FunctionText[]
  readonly extraImports: readonly string[]
  readonly cellmillNames: ReadonlySet<string>
  /** Settings in force everywhere. */
  readonly settings: readonly number[]
  readonly lines: (unit: number) => readonly WrittenLine[]
}

export interface ModuleText {
  readonly text: string
  readonly lines: readonly Omit<LineOrigin, 'file'>[]
  /** Function name to its line. */
  readonly places: ReadonlyMap<string, number>
}

export function writeModule(input: ModuleInput): ModuleText {
  const out: WrittenLine[] = docstringLines(input.title).map(bare)
  const imports = importLines(input)
  out.push(bare(''), ...imports.future, ...imports.rest)
  const constants = input.units.filter((unit) => ['constant', 'parameter'].includes(input.roles.of[unit.id] ?? ''))
  if (constants.length > 0) out.push(bare(''), ...constants.flatMap((unit) => input.lines(unit.id)))
  if (input.settings.length > 0) out.push(...settingsFunction(input))
  const helpers = input.units.filter((unit) => input.roles.of[unit.id] === 'definition')
  const blocks = [
    ...helpers.map((unit) => ({ at: unit.id, name: null, lines: input.lines(unit.id) })),
    ...input.functions.map((one) => ({ at: one.at, name: one.name, lines: functionLines(one) })),
  ].sort((a, b) => a.at - b.at)
  const places = new Map<string, number>()
  for (const block of blocks) {
    out.push(bare(''), bare(''))
    if (block.name !== null) {
      const offset = block.lines.findIndex((line) => line.text.startsWith('def '))
      places.set(block.name, out.length + offset + 1)
    }
    out.push(...block.lines)
  }
  const origins = out.flatMap((line, index) =>
    line.cell === null || line.line === null ? [] : [{ line: index + 1, cell: line.cell, cellLine: line.line }],
  )
  return { text: `${out.map((line) => line.text).join('\n')}\n`, lines: origins, places }
}

export function bare(text: string): WrittenLine {
  return { ...ownLine(text), cell: null }
}

function importLines(input: ModuleInput): { future: WrittenLine[]; rest: WrittenLine[] } {
  const future: WrittenLine[] = []
  const rest: WrittenLine[] = []
  const seen = new Set<string>()
  for (const unit of input.units) {
    if (input.roles.of[unit.id] !== 'import') continue
    const lines = input.lines(unit.id)
    const text = lines.map((line) => line.text.trim()).join('\n')
    if (seen.has(text)) continue
    seen.add(text)
    const isFuture = unit.facts.imports.some((one) => one.module === '__future__')
    ;(isFuture ? future : rest).push(...lines)
  }
  for (const line of input.extraImports) if (!seen.has(line)) rest.push(bare(line))
  const names = [...input.cellmillNames].sort()
  if (names.length > 0) rest.push(bare(`from cellmill import ${names.join(', ')}`))
  return { future, rest }
}

function settingsFunction(input: ModuleInput): WrittenLine[] {
  const body = input.settings.flatMap((id) => input.lines(id)).map((line) => indentWritten(line))
  return [bare(''), bare(''), bare('@setup'), bare('def settings() -> None:'), ...body]
}

export function indentWritten(line: WrittenLine): WrittenLine {
  return { ...line, ...indented(line, '    ') }
}

function functionLines(one: FunctionText): WrittenLine[] {
  const head = `def ${one.name}(${one.parameters.join(', ')})${one.returns === '' ? '' : ` -> ${one.returns}`}:`
  const signature =
    head.length <= 110
      ? [head]
      : [
          `def ${one.name}(`,
          ...one.parameters.map((parameter) => `    ${parameter},`),
          `)${one.returns === '' ? '' : ` -> ${one.returns}`}:`,
        ]
  const doc =
    one.docstring === '' ? [] : docstringLines(one.docstring).map((line) => bare(line === '' ? '' : `    ${line}`))
  const body = one.body.length === 0 && doc.length === 0 ? [bare('pass')] : one.body
  return [bare(one.decorator), ...signature.map(bare), ...doc, ...body.map(indentWritten)]
}

export function isModuleUnit(roles: Roles, unit: number): boolean {
  return isModuleRole(roles.of[unit] ?? 'compute')
}
