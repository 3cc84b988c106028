/** What no cut can make safe: code that reaches names by text, shared globals of functions, effects on the world. */
import type { NotebookDocument } from '../document.ts'
import type { NotebookFacts } from '../ir.ts'
import type { Refusal } from '../graduation.ts'
import { isDefinition, type Flow } from '../dataflow/flow.ts'
import type { Unit, Units } from '../dataflow/units.ts'
import type { Roles } from './roles.ts'
import { canBeNonlocal, hasGlobalStatement } from './global-statements.ts'
import { magicRole } from './magics.ts'
import { BUILTIN_NAMES } from './names.ts'

export interface SafetyInput {
  readonly document: NotebookDocument
  readonly facts: NotebookFacts
  readonly units: Units
  readonly flow: Flow
  readonly roles: Roles
  readonly textOf: (unit: Unit) => string
}

export function refuseUnsafe(input: SafetyInput): Refusal[] {
  const refusals: Refusal[] = []
  for (const unit of input.units.list) refusals.push(...ofUnit(input, unit))
  refusals.push(...cellMagics(input), ...undefinedNames(input))
  return refusals
}

function ofUnit(input: SafetyInput, unit: Unit): Refusal[] {
  const { cell } = unit
  const found: Refusal[] = []
  const dynamic = unit.facts.dynamic.filter((word) => word !== '' && word !== 'star-import')
  if (dynamic.length > 0) {
    const history = dynamic.includes('history')
    found.push({
      code: history ? 'N38' : 'N14',
      cell,
      message: history
        ? 'it reads the history of the session (_, In, Out)'
        : `it reaches names or code by text (${dynamic.join(', ')}); write the names out`,
    })
  }
  const text = input.textOf(unit)
  const isCode = isDefinition(unit)
  if (hasGlobalStatement(text) && unit.facts.kind !== 'global' && !canBeNonlocal(unit, text)) {
    found.push({
      code: 'N11',
      cell,
      message: isCode
        ? `${unit.binds[0] ?? 'a function'} rebinds a global name; return the value instead`
        : 'a global statement outside of a function',
    })
  }
  if (unit.facts.kind === 'class' && readsOwnName(text)) {
    found.push({
      code: 'N10',
      cell,
      message: 'a name in the class body is read before the class gives it a value of its own',
    })
  }
  if (/\bawait\b|\basync\s+(for|with)\b/u.test(text) && !isCode)
    found.push({ code: 'N46', cell, message: 'it awaits outside of a function' })
  for (const token of input.flow.units[unit.id]?.tokens ?? []) {
    if (token.token === 'world')
      found.push({
        code: 'N48',
        cell,
        message: `it acts on the world outside (${token.why}); put that into a step of its own, by hand`,
      })
    if (
      token.token.startsWith('table:') &&
      token.mode === 'write' &&
      /to_sql/u.test(token.why) &&
      !isInMemory(input, unit)
    )
      found.push({ code: 'N48', cell, message: 'it writes to a database' })
  }
  if (/\binput\s*\(/u.test(text) && !input.units.names.has('input'))
    found.push({ code: 'N38', cell, message: 'it asks for input' })
  if (
    isCode &&
    unit.facts.namesInStrings.length > 0 &&
    input.roles.of[unit.id] === 'compute' &&
    /\b(query|eval|sql)\s*\(/u.test(text)
  ) {
    found.push({
      code: 'N10',
      cell,
      message: `${unit.binds[0] ?? 'a function'} reads ${unit.facts.namesInStrings.join(', ')} by name in a string; pass it as an argument`,
    })
  }
  return found
}

/** Every connection that the statement is handed lives and dies with the notebook. */
function isInMemory(input: SafetyInput, unit: Unit): boolean {
  const uses = input.flow.units[unit.id]?.uses ?? new Map<string, number>()
  const connections = [...uses].flatMap(([name, version]) => {
    const maker = input.units.list[input.flow.versions[version]?.unit ?? -1]
    return maker?.facts.resources?.[name] === undefined ? [] : (maker.facts.bindTypes?.[name] ?? ['?'])
  })
  return connections.length > 0 && connections.every((type) => type === 'sqlite3.MemoryConnection')
}

/** `x = x` in a class body reads the module's x, which a function's local is not. */
function readsOwnName(text: string): boolean {
  return text
    .split('\n')
    .slice(1)
    .some((line) => {
      const found = /^\s+([A-Za-z_]\w*)\s*(?::[^=]+)?=\s*(.*)$/u.exec(line)
      return (
        found !== null && new RegExp(String.raw`(?<![\w.'"])${found[1] ?? ''}\b(?!\s*=[^=])`, 'u').test(found[2] ?? '')
      )
    })
}

function cellMagics(input: SafetyInput): Refusal[] {
  const used = new Set(input.units.list.map((unit) => unit.cell))
  const refusals: Refusal[] = []
  for (const cell of input.facts.cells) {
    if (!used.has(cell.index)) continue
    for (const magic of cell.magics) {
      const verdict = magicRole(magic)
      if (verdict.refusal !== null) refusals.push({ ...verdict.refusal, cell: cell.index })
    }
  }
  return refusals
}

function undefinedNames(input: SafetyInput): Refusal[] {
  const refusals: Refusal[] = []
  // What a star import binds only a run can show; that is refused by itself.
  if (input.units.list.some((unit) => unit.facts.imports.some((one) => one.name === '*'))) return []
  for (const unit of input.units.list) {
    for (const name of input.flow.units[unit.id]?.unbound ?? []) {
      if (KNOWN.has(name)) continue
      const later = input.units.list.find(
        (other) => other.id > unit.id && [...other.binds, ...other.mayBinds].includes(name),
      )
      if (input.units.names.has(name) && later === undefined && isShadowedBuiltin(name)) continue
      if (isShadowedBuiltin(name)) continue
      refusals.push(
        later === undefined
          ? {
              code: 'N02',
              cell: unit.cell,
              message: `${name} ${wasDefined(input, unit.id, name) ? 'has no value any more' : 'is never defined'}`,
            }
          : { code: 'N03', cell: unit.cell, message: `${name} is used before cell ${later.cell} defines it` },
      )
    }
  }
  return refusals
}

function wasDefined(input: SafetyInput, unit: number, name: string): boolean {
  return input.units.list.some((other) => other.id < unit && [...other.binds, ...other.mayBinds].includes(name))
}

const KNOWN: ReadonlySet<string> = new Set(['display', 'get_ipython', '__name__', '__doc__', '__builtins__'])
function isShadowedBuiltin(name: string): boolean {
  return BUILTIN_NAMES.has(name)
}
