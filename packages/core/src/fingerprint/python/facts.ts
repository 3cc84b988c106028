/**
 * What python/cellmill/_discover reads from Python modules, as JSON. Facts of a module depend on its bytes alone, never
 * on its path, so that they are cached by content. Field names are those that the Python side writes.
 */
import type { Json } from '../../canonical.ts'
import type { ParameterType } from '../../model/project.ts'

/** A place in the file itself; the path is added by whoever shows it. */
export interface FactPlace {
  readonly line: number
  readonly column: number
  readonly length: number
  readonly lineText: string
}

/** `[module, level, attribute]`: `from ..a import b` is `['a', 2, 'b']`; `import a.b` is `['a.b', 0, null]`. */
export type ImportTarget = readonly [module: string, level: number, attribute: string | null]

export interface ImportFact {
  readonly modules: readonly ImportTarget[]
  readonly at: FactPlace
  /** Its failure is handled by the code around it. */
  readonly optional?: boolean
}

/** `[base, parts, exact]`, see _discover/paths.py. */
export type PathFact = readonly [base: string, parts: readonly string[], exact: boolean]

/** What a piece of code reaches and does, whether it is a unit or an effect. */
export interface CodeFacts {
  /** Dotted chains of names that come from the module or the builtins: `helpers.clean`. */
  readonly reads: readonly string[]
  readonly imports?: readonly ImportFact[]
  /** Names that its own imports bind. */
  readonly local?: Readonly<Record<string, readonly ImportTarget[]>>
  readonly computed?: readonly (readonly [what: string, at: FactPlace])[]
  /** May import what cannot be read here. */
  readonly dynamic?: boolean
  readonly volatile?: readonly (readonly [kind: string, what: string, line: number])[]
  readonly draws?: readonly (readonly [what: string, at: FactPlace, seeded: boolean])[]
  readonly data?: readonly PathFact[]
}

export interface UnitFacts extends CodeFacts {
  readonly kind: 'def' | 'class' | 'value' | 'param'
  readonly digest: string
  /** Index in the sequence before which it stands. */
  readonly at: number
  /** For classes: chains of their bases. */
  readonly bases?: readonly string[]
  /** `helpers.value`: read when the module runs, which fails where it is missing. */
  readonly eager?: readonly string[]
  /** Subclassing it runs code. */
  readonly hooks?: boolean
  /** For values: the path below the project that it holds. */
  readonly path?: PathFact
  /** Name of the project parameter, for `X = param(..)`. */
  readonly param?: string
}

/** One statement of the top level that is not only a unit; in order. */
export interface SequenceItem extends Partial<CodeFacts> {
  /** Digest of its code, when running it may change anything. */
  readonly effect?: string
  /** Module of a `from m import *`. */
  readonly star?: readonly [module: string, level: number]
  /** Names bound by a plain import. */
  readonly names?: readonly string[]
  /** A class that is a unit unless its bases run code when subclassed. */
  readonly unit?: string
}

export interface StepFacts {
  readonly kind: 'asset' | 'check' | 'report' | 'effect'
  readonly symbol: string
  readonly at: FactPlace
  readonly inputs: readonly { readonly argument: string; readonly annotation: string; readonly at: FactPlace }[]
  readonly parameters: readonly {
    readonly name: string
    readonly type: ParameterType
    readonly default: Json
    readonly required: boolean
    readonly at: FactPlace
  }[]
  readonly returns: string
  readonly description: string
  /** Of the code without its name, annotations of inputs and defaults of parameters. */
  readonly digest: string
  readonly options: Readonly<Record<string, { readonly value: Json; readonly at: FactPlace }>>
  /** For checks: the asset by name, or the function that makes it. */
  readonly target: { readonly name: string; readonly function: boolean; readonly at: FactPlace } | null
}

export interface ModuleFacts {
  /** Set when the file does not parse; everything else is then absent. */
  readonly error?: { readonly message: string; readonly at: FactPlace }
  readonly units: Readonly<Record<string, UnitFacts>>
  readonly sequence: readonly SequenceItem[]
  /** What imports bind at top level. */
  readonly bindings: Readonly<Record<string, readonly ImportTarget[]>>
  /** Names bound by effects. */
  readonly effectNames: readonly string[]
  /** Literal `__all__`; `computed` when it is there but not literal. */
  readonly exports: readonly string[] | 'computed' | null
  readonly steps: readonly StepFacts[]
  readonly setups: readonly string[]
  readonly parameters: readonly {
    readonly name: string
    readonly type: ParameterType
    readonly default: Json
    readonly at: FactPlace
  }[]
  readonly diagnostics: readonly {
    readonly code: string
    readonly message: string
    readonly at: FactPlace
    readonly fix: string
  }[]
}

export interface ModuleRecord {
  /** sha256 of the file's bytes. */
  readonly text: string
  readonly facts: ModuleFacts
}

export interface PythonFacts {
  /** By project-relative path with forward slashes: asset files and every module of the project they may import. */
  readonly modules: Readonly<Record<string, ModuleRecord>>
  /** Other files that code reaches beside itself: path to sha256, null when nothing is there. */
  readonly data: Readonly<Record<string, string | null>>
  /** Folders of which anything may be read: path to the files below, sorted. */
  readonly folders: Readonly<Record<string, readonly string[]>>
  /** Folders of asset files, each on the path of its own assets. */
  readonly assetFolders: readonly string[]
  /** Top-level modules of the standard library. */
  readonly stdlib: readonly string[]
}
