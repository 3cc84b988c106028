/**
 * A Python environment as a value: the interpreter that steps run on and the distributions it holds. Environments are
 * immutable once made, so a value read once stays true; drift from the lock is found by `checkEnvironment`.
 */
export interface InstalledDistribution {
  /** Normalised as in PEP 503: `scikit-learn`. */
  readonly name: string
  readonly version: string
  /** Top-level import names: `sklearn`. */
  readonly modules: readonly string[]
  /** `Requires-Dist` as written, markers and extras included. */
  readonly requires: readonly string[]
  /** Names of distributions that it names for its extras (optional dependencies). */
  readonly optional: readonly string[]
  /** Entry point groups it provides: `pandas_plotting_backends`. */
  readonly entryPointGroups: readonly string[]
  /** Content digest for path, editable and git installs; null for releases from an index. */
  readonly contentDigest: string | null
}

export interface PythonEnvironment {
  /** The environment's own `bin/python`, absolute. */
  readonly python: string
  readonly prefix: string
  /** Where the interpreter and its standard library are. */
  readonly basePrefix: string
  readonly sitePackages: string
  /** `3.11.7`. */
  readonly version: string
  /** `linux-x86_64`. */
  readonly platform: string
  readonly distributions: readonly InstalledDistribution[]
  /** sha256 of the lock it was made from; '' when it was not made by us. */
  readonly lockDigest: string
}
