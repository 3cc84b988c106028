/** What discovery reads from TypeScript modules, as JSON: enough to compute closures without parsing again. */

export interface TypeScriptFacts {
  /** By project-relative path: asset files and every module of the project that they reach. */
  readonly modules: Readonly<Record<string, ModuleFacts>>
  /** Other files that code names by `new URL(.., import.meta.url)` or imports as data: sha256, null when not there. */
  readonly data: Readonly<Record<string, string | null>>
  /** Version (or content digest) of each npm package that is installed and reached, with what it requires. */
  readonly packages: Readonly<Record<string, PackageFacts>>
  /** Files below node_modules by which installed versions are known. */
  readonly installed: readonly string[]
}

export interface PackageFacts {
  readonly version: string
  readonly requires: readonly string[]
}

/** One name that an import binds. */
export interface BindingFact {
  /** Project-relative path, or null for a package, a builtin, or nothing that was found. */
  readonly file: string | null
  /** `lodash`, `node:crypto`; null for files of the project. */
  readonly package: string | null
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
  /** Names of the module's top level that it uses. */
  readonly reads: readonly string[]
  /** Modules of the project that it imports by `import()`. */
  readonly imports: readonly string[]
  readonly packages: readonly string[]
  readonly data: readonly string[]
  readonly volatile: readonly VolatileFact[]
  /** Uses names that only running it can tell. */
  readonly computed: readonly { readonly what: string; readonly line: number }[]
}

export interface ModuleFacts {
  /** sha256 of the whole text. */
  readonly text: string
  /** Top-level functions, classes and constants whose evaluation does nothing else. */
  readonly units: Readonly<Record<string, CodeFacts>>
  /** Everything else at top level, in order. */
  readonly effects: readonly CodeFacts[]
  readonly bindings: Readonly<Record<string, BindingFact>>
  /** Exported name to local name, or to another module's. */
  readonly exports: Readonly<Record<string, { readonly local: string } | BindingFact>>
  /** Modules of `export * from`. */
  readonly stars: readonly BindingFact[]
  /** Modules that importing this one runs, in order. */
  readonly runs: readonly BindingFact[]
  readonly steps: Readonly<Record<string, StepCode>>
}

/** The code of a step without its options, inputs and defaults of parameters, which are elsewhere in the recipe. */
export interface StepCode {
  readonly code: CodeFacts
  readonly projectParameters: readonly string[]
}
