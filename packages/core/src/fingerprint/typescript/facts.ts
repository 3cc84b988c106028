/**
 * What discovery reads from TypeScript modules, as JSON: enough to compute closures without parsing again. Facts of a
 * module name imports as they are written; `targets` says what each of them means in this project.
 */

export interface TypeScriptFacts {
  /** By project-relative path: asset files and every module of the project that they reach. */
  readonly modules: Readonly<Record<string, ModuleFacts>>
  /** Other files that code names by `new URL(.., import.meta.url)` or imports as data: sha256, null when not there. */
  readonly data: Readonly<Record<string, string | null>>
  /** npm packages that are installed and reached. */
  readonly packages: Readonly<Record<string, PackageFacts>>
  /** Files below node_modules from which installed versions are known. */
  readonly installed: readonly string[]
}

export interface PackageFacts {
  /** Version, or a content digest for linked and local packages; several joined when several are installed. */
  readonly version: string
  readonly requires: readonly string[]
}

export type ImportTarget =
  | { readonly type: 'module' | 'data'; readonly file: string }
  | { readonly type: 'package' | 'builtin'; readonly name: string }
  | { readonly type: 'sdk' | 'missing' }

/** One name that an import binds, or a re-export passes on. */
export interface BindingFact {
  readonly from: string
  /** Name in that module; null for the module as a whole (`import * as x`). */
  readonly name: string | null
}

export interface VolatileFact {
  readonly kind: 'clock' | 'random' | 'network' | 'environment' | 'file' | 'process'
  readonly what: string
  readonly line: number
}

/** What a piece of code reaches and does. */
export interface CodeFacts {
  readonly digest: string
  /** Names of the module's top level that it may use. */
  readonly reads: readonly string[]
  /** Specifiers of `import('..')`. */
  readonly imports: readonly string[]
  /** Project-relative files. */
  readonly data: readonly string[]
  readonly volatile: readonly VolatileFact[]
  /** What only running it can tell. */
  readonly computed: readonly { readonly what: string; readonly line: number }[]
}

export interface ModuleFacts {
  /** sha256 of the bytes. */
  readonly text: string
  /** Top-level functions, classes and constants whose evaluation does nothing else. */
  readonly units: Readonly<Record<string, CodeFacts>>
  /** Everything else at top level, in order. */
  readonly effects: readonly CodeFacts[]
  readonly bindings: Readonly<Record<string, BindingFact>>
  /** Exported name to what it is. */
  readonly exports: Readonly<Record<string, { readonly local: string } | BindingFact>>
  /** Specifiers of `export * from`. */
  readonly stars: readonly string[]
  /** Specifiers that importing this module runs, in order. */
  readonly runs: readonly string[]
  /** By specifier. */
  readonly targets: Readonly<Record<string, ImportTarget>>
  /** By export. */
  readonly steps: Readonly<Record<string, StepCode>>
}

/** The code of a step without its options, inputs and defaults of parameters, which are elsewhere in the recipe. */
export interface StepCode {
  readonly code: CodeFacts
  /** Parameters of the project that it reads, `run_time` included. */
  readonly projectParameters: readonly string[]
  readonly drawsRandom: boolean
}
