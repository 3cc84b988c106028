/**
 * What becomes of each statement: hoisted to the module (imports, definitions, constants, parameters), repeated in
 * every step that needs it, a process-wide setting, a magic that is dropped, or computing work. A name is hoisted only
 * if it has one binding, nothing reads it earlier, and all it reads when defined or called is hoisted too.
 */
import type { NotebookDocument } from '../document.ts'
import type { Refusal } from '../graduation.ts'
import { isDefinition, lateChanges, type Flow } from '../dataflow/flow.ts'
import type { Unit, Units } from '../dataflow/units.ts'
import { keepsState, readsByName } from './keeps-state.ts'
import { magicRole } from './magics.ts'
import { BUILTIN_NAMES } from './names.ts'

export type Role =
  /** At module level, once. */
  | 'import'
  | 'definition'
  | 'constant'
  | 'parameter'
  /** Repeated inside each step that needs it, in order. */
  | 'local-import'
  | 'local-definition'
  | 'local-constant'
  /** A process-wide setting: all later steps start under it. */
  | 'setting'
  | 'compute'
  /** Said and left out. */
  | 'dropped'

export interface Roles {
  readonly of: readonly Role[]
  /** Names at module level. */
  readonly hoisted: ReadonlySet<string>
  /** Definitions whose values cannot leave the step that made them. */
  readonly sticky: ReadonlySet<number>
  /** Distributions that the notebook installed itself. */
  readonly installs: readonly string[]
  readonly dropped: readonly { readonly unit: number; readonly why: string }[]
  readonly refusals: readonly Refusal[]
}

export interface RoleInput {
  readonly document: NotebookDocument
  readonly units: Units
  readonly flow: Flow
  readonly params: readonly string[]
  readonly textOf: (unit: Unit) => string
}

const MODULE_ROLES: ReadonlySet<Role> = new Set<Role>(['import', 'definition', 'constant', 'parameter'])

export function isModuleRole(role: Role): boolean {
  return MODULE_ROLES.has(role)
}

export function isRepeated(role: Role): boolean {
  return role === 'local-import' || role === 'local-definition' || role === 'local-constant'
}

export function assignRoles(input: RoleInput): Roles {
  return new RoleAssigner(input).assign()
}

class RoleAssigner {
  readonly #input: RoleInput
  readonly #roles: Role[]
  readonly #refusals: Refusal[] = []
  readonly #dropped: { unit: number; why: string }[] = []
  readonly #installs = new Set<string>()
  readonly #bindings = new Map<string, Unit[]>()
  readonly #changed = new Set<string>()
  /** Names read while they had no value, with the first unit that did. */
  readonly #readEarly = new Map<string, number>()

  constructor(input: RoleInput) {
    this.#input = input
    this.#roles = input.units.list.map(() => 'compute')
    for (const unit of input.units.list) {
      for (const name of [...unit.binds, ...unit.mayBinds]) {
        this.#bindings.set(name, [...(this.#bindings.get(name) ?? []), unit])
      }
      for (const name of unit.deletes) this.#changed.add(name)
      for (const one of unit.facts.definitions) for (const name of one.lateWrites) this.#changed.add(name)
      const flow = input.flow.units[unit.id]
      for (const group of flow?.changedGroups ?? []) for (const name of group) this.#changed.add(name)
      for (const name of flow?.unbound ?? []) {
        if (!this.#readEarly.has(name)) this.#readEarly.set(name, unit.id)
      }
    }
  }

  assign(): Roles {
    for (const unit of this.#input.units.list) this.#first(unit)
    this.#settleDefinitions()
    this.#settleSettings()
    return {
      of: this.#roles,
      hoisted: this.#hoisted(),
      sticky: this.#sticky(),
      installs: [...this.#installs],
      dropped: this.#dropped,
      refusals: this.#refusals,
    }
  }

  #first(unit: Unit): void {
    if (unit.magic !== null) {
      const verdict = magicRole(unit.magic)
      for (const name of verdict.installs) this.#installs.add(name)
      if (verdict.refusal !== null) this.#refusals.push({ ...verdict.refusal, cell: unit.cell })
      if (verdict.action === 'drop') this.#drop(unit, verdict.why)
      if (verdict.action !== 'keep') return
      // The line `%%time` itself; its body are statements of their own.
      if (unit.facts.kind === 'magic' && unit.magic.kind === 'cell') return this.#drop(unit, 'only measures')
    }
    if (unit.facts.kind === 'pass' || unit.facts.kind === 'global') return this.#drop(unit, 'does nothing')
    if (unit.facts.kind === 'import') {
      this.#roles[unit.id] = this.#importRole(unit)
    } else if (this.#isGuardedImport(unit)) {
      this.#roles[unit.id] = unit.mayBinds.concat(unit.binds).every((name) => this.#single(name, unit))
        ? 'import'
        : 'compute'
    } else if ((isDefinition(unit) || isFactory(unit)) && this.#canBeRepeated(unit)) {
      this.#roles[unit.id] = 'local-definition'
    } else if (this.#isConstant(unit)) {
      this.#roles[unit.id] = this.#isParameter(unit) ? 'parameter' : 'constant'
    }
  }

  #drop(unit: Unit, why: string): void {
    this.#roles[unit.id] = 'dropped'
    this.#dropped.push({ unit: unit.id, why })
  }

  #single(name: string, unit: Unit): boolean {
    const early = this.#readEarly.get(name)
    return (
      this.#bindings.get(name)?.length === 1 && !this.#changed.has(name) && (early === undefined || early >= unit.id)
    )
  }

  #importRole(unit: Unit): Role {
    const facts = unit.facts.imports
    if (facts.some((one) => one.name === '*')) {
      this.#refusals.push({
        code: 'N13',
        cell: unit.cell,
        message: `from ${facts[0]?.module ?? '?'} import * binds names that only a run can show; import the names that are used`,
      })
      return 'import'
    }
    const same = unit.binds.every((name) => {
      const all = this.#bindings.get(name) ?? []
      const early = this.#readEarly.get(name)
      const mine = facts.find((one) => one.boundAs === name)
      return (
        (early === undefined || early >= (all[0]?.id ?? unit.id)) &&
        all.every((other) => other.facts.kind === 'import' && sameImport(other, name, mine))
      )
    })
    const late = this.#input.units.list.some(
      (other) =>
        other.id < unit.id && other.tokens.some((token) => token.mode === 'write' && changesImports(token.token)),
    )
    return same && !late ? 'import' : 'local-import'
  }

  #isGuardedImport(unit: Unit): boolean {
    if (unit.facts.imports.length === 0 || (unit.facts.kind !== 'try' && unit.facts.kind !== 'if')) return false
    const names = this.#input.units.names
    return unit.mutates.size === 0 && unit.deletes.length === 0 && [...unit.reads].every((name) => !names.has(name))
  }

  /** Copies of it behave as the one original: it keeps no state between calls. */
  #canBeRepeated(unit: Unit): boolean {
    const text = this.#input.textOf(unit)
    const name = unit.facts.binds[0] ?? ''
    if (unit.mutates.size > 0 || /^\s*(global|nonlocal)\b/mu.test(text)) return false
    if (unit.facts.definitions.some((one) => lateChanges(one).includes(name))) return false
    if (this.#changed.has(name)) return false
    // Attributes of a function: caches, counters.
    const isFunction = unit.facts.kind !== 'class'
    const attribute = new RegExp(String.raw`(?<![\w.])${name.replaceAll(/\W/gu, '')}\s*\.\s*\w`, 'u')
    if (isFunction && this.#input.units.list.some((other) => attribute.test(this.#input.textOf(other)))) return false
    if (keepsState(unit, text, name)) return false
    // A decorator of the notebook may register what it decorates.
    const decorated = unit.facts.definitions.some((one) => one.decorated)
    const names = this.#input.units.names
    const flow = this.#input.flow.units[unit.id]
    if (
      decorated &&
      [...(flow?.uses.values() ?? [])].some((id) => {
        const version = this.#input.flow.versions[id]
        return version !== undefined && version.lateWrites.size > 0
      })
    )
      return false
    return !unit.facts.namesInStrings.some((word) => names.has(word) && readsByName(text, word))
  }

  #isConstant(unit: Unit): boolean {
    const { kind, binds, calls, definitions } = unit.facts
    const name = binds[0]
    if ((kind !== 'assign' && kind !== 'annassign') || binds.length !== 1 || name === undefined) return false
    if (unit.reads.size > 0 || calls.length > 0 || definitions.length > 0 || unit.tokens.length > 0) return false
    if (unit.aliases.length > 0 || unit.facts.mutations.length > 0 || unit.mayBinds.length > 0) return false
    if (!this.#single(name, unit)) return false
    if (unit.facts.scalar !== null) return true
    // A list that is handed on by reference must stay one object with its aliases.
    const shared = this.#input.units.list.some((other) => other.aliases.some((alias) => alias.source === name))
    const text = this.#input.textOf(unit)
    return !shared && unit.facts.literals.length > 0 && !/\bfor\b|=.*\blambda\b/u.test(text)
  }

  #isParameter(unit: Unit): boolean {
    const scalar = unit.facts.scalar
    if (scalar === null) return false
    const tagged = this.#input.document.cells[unit.cell]?.tags.includes('parameters') === true
    return /^[A-Z][A-Z0-9_]*$/u.test(scalar.name) || tagged || this.#input.params.includes(scalar.name)
  }

  /** Hoists the largest set of definitions that read only hoisted names. */
  #settleDefinitions(): void {
    const candidates = this.#input.units.list.filter(
      (unit) => this.#roles[unit.id] === 'local-definition' && unit.binds.every((name) => this.#single(name, unit)),
    )
    for (const unit of candidates) this.#roles[unit.id] = 'definition'
    for (let changed = true; changed;) {
      changed = false
      const hoisted = this.#hoisted()
      for (const unit of candidates) {
        if (this.#roles[unit.id] !== 'definition' || this.#readsOnly(unit, hoisted)) continue
        this.#roles[unit.id] = 'local-definition'
        changed = true
      }
    }
    this.#settleRepeated()
  }

  /** Defaults, decorators and bases are evaluated where the definition stands: they must be known at any place. */
  #settleRepeated(): void {
    const hoisted = this.#hoisted()
    const repeated = new Set(
      this.#input.units.list
        .filter((unit) => isRepeated(this.#roles[unit.id] ?? 'compute'))
        .flatMap((unit) => unit.binds),
    )
    for (const unit of this.#input.units.list) {
      if (this.#roles[unit.id] !== 'local-definition') continue
      const now = [...(this.#input.flow.units[unit.id]?.uses.keys() ?? [])]
      const runsNow = now.filter((name) => unit.reads.has(name))
      if (
        unit.facts.kind === 'class' ||
        isFactory(unit) ||
        runsNow.some((name) => !hoisted.has(name) && !repeated.has(name))
      ) {
        this.#roles[unit.id] = 'compute'
      }
    }
  }

  #readsOnly(unit: Unit, hoisted: ReadonlySet<string>): boolean {
    const names = this.#input.units.names
    const words = new Set([...unit.reads, ...unit.facts.definitions.flatMap((one) => one.lateReads)])
    const text = this.#input.textOf(unit)
    for (const name of names) {
      if (BUILTIN_NAMES.has(name) && new RegExp(`\\b${name}\\b`, 'u').test(text)) words.add(name)
    }
    const own = new Set(unit.binds)
    return (
      unit.facts.definitions.every(
        (one) => lateChanges(one).length === 0 && one.lateTokens.every((token) => !isFileToken(token.token)),
      ) && [...words].every((name) => own.has(name) || hoisted.has(name) || !names.has(name))
    )
  }

  #settleSettings(): void {
    const hoisted = this.#hoisted()
    for (const unit of this.#input.units.list) {
      if (this.#roles[unit.id] !== 'compute') continue
      const writes = unit.tokens.filter((token) => token.mode === 'write' && isSettingToken(token.token))
      if (writes.length === 0) continue
      const others = unit.tokens.filter(
        (token) => token.mode === 'write' && !/^(cfg:|folder$|stdout|figure)/u.test(token.token),
      )
      const names = this.#input.units.names
      const closed = [...unit.reads].every((name) => hoisted.has(name) || !names.has(name))
      const simple = unit.binds.length + unit.mayBinds.length + unit.deletes.length === 0 && others.length === 0
      const moves = writes.find((token) => token.token === 'cfg:cwd' || token.token === 'cfg:sys.path')
      if (moves !== undefined) {
        this.#refusals.push({
          code: 'N31',
          cell: unit.cell,
          message: `the cell calls ${moves.why}, which changes what later cells find on disk; use paths instead`,
        })
      } else if (simple && closed && [...unit.mutates].every((name) => hoisted.has(name))) {
        this.#roles[unit.id] = 'setting'
      } else if (!writes.every((token) => HARMLESS.has(token.token))) {
        this.#refusals.push({
          code: 'N31',
          cell: unit.cell,
          message: `the cell calls ${writes[0]?.why ?? 'a setter'}, a process-wide setting, as part of other work; put the setting in a statement of its own`,
        })
      }
    }
  }

  #hoisted(): Set<string> {
    const names = new Set<string>()
    for (const unit of this.#input.units.list) {
      if (isModuleRole(this.#roles[unit.id] ?? 'compute'))
        for (const name of [...unit.binds, ...unit.mayBinds]) names.add(name)
    }
    return names
  }

  #sticky(): Set<number> {
    const sticky = new Set<number>()
    this.#input.flow.versions.forEach((version) => {
      const unit = this.#input.units.list[version.unit]
      if (unit === undefined || this.#roles[unit.id] !== 'compute') return
      if (isDefinition(unit) || unit.facts.kind === 'import') sticky.add(version.id)
    })
    return sticky
  }
}

/** `Point = namedtuple("Point", "x y")`: a class, without the word. */
function isFactory(unit: Unit): boolean {
  const { kind, binds, calls, mutations } = unit.facts
  return (
    kind === 'assign' &&
    binds.length === 1 &&
    mutations.length === 0 &&
    calls.length === 1 &&
    /^(collections\.namedtuple|typing\.(NamedTuple|TypedDict|TypeVar|NewType)|enum\.(Enum|IntEnum|Flag))$/u.test(
      calls[0]?.callee ?? '',
    )
  )
}

const HARMLESS: ReadonlySet<string> = new Set(['cfg:matplotlib', 'cfg:seaborn', 'cfg:warnings', 'folder'])

/** A folder that is made is a place that each step must find again. */
function isSettingToken(token: string): boolean {
  return token === 'folder' || token.startsWith('cfg:')
}

function changesImports(token: string): boolean {
  return token === 'cfg:sys.path' || token === 'cfg:environ' || token === 'cfg:cwd'
}

export function isFileToken(token: string): boolean {
  return /^(file|table|net|world|shell)\b/u.test(token)
}

function sameImport(unit: Unit, name: string, wanted: { module: string; name: string | null } | undefined): boolean {
  const found = unit.facts.imports.filter((one) => one.boundAs === name)
  return (
    (wanted !== undefined && found.some((one) => one.module === wanted.module && one.name === wanted.name)) ||
    (found.length > 0 &&
      wanted !== undefined &&
      found.every(
        (one) => one.name === null && wanted.name === null && one.module.split('.')[0] === wanted.module.split('.')[0],
      ))
  )
}
