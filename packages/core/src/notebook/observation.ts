/**
 * What one run of a notebook showed: written by `python/cellmill/_notebook/observe.py` inside the kernel, which owns the
 * values, so nothing here is unpickled by us. Values are identified by the digest of their canonical encoding.
 */
export interface ObservedValue {
  readonly name: string
  /** `pandas.core.frame.DataFrame`. */
  readonly type: string
  /** Digest of the full canonical encoding; null when it cannot be encoded (then `problem` says why). */
  readonly digest: string | null
  readonly problem: string | null
  /** Kind an asset would have: a table only after a lossless Parquet round trip. */
  readonly kind: 'table' | 'object' | 'module' | 'function' | 'class' | 'unserialisable'
  /** Why it is not a table although it is a frame, in words; '' otherwise. */
  readonly kindBecause: string
  /** Names in one alias group share mutable state; a view group shares buffers without being one object. */
  readonly aliasGroup: number | null
  readonly sharesBufferWith: readonly string[]
  readonly sizeBytes: number
  readonly shape: string
  /** `def`, class or lambda defined in the notebook. */
  readonly definedHere: boolean
  /** Qualified names of functions and classes of the notebook that the value holds: `f`, `<lambda>`, `Shop.put`. */
  readonly holdsDefinitions?: readonly string[]
}

export interface ObservedOutput {
  readonly kind: 'stdout' | 'stderr' | 'text' | 'html' | 'figure' | 'image' | 'json' | 'error' | 'other'
  readonly mime: string
  /** Normalised text or tree digest: what is compared. */
  readonly digest: string
  /** Text for people, cut at 4 kB. */
  readonly preview: string
  /** Why it cannot be compared although it was shown; the digest is then ''. */
  readonly problem?: string
  /** What was left out of the digest, from a closed list: `address`, `ansi`, `timing`, `temporary path`, ... */
  readonly excluded?: readonly string[]
}

export interface ObservedEvent {
  readonly kind: 'open-read' | 'open-write' | 'socket' | 'process' | 'chdir' | 'sqlite'
  readonly what: string
  readonly line: number | null
}

export interface ObservedCell {
  readonly index: number
  readonly ms: number
  readonly state: 'ok' | 'error' | 'not-run'
  readonly error: { readonly name: string; readonly value: string; readonly line: number | null } | null
  /** Names bound, rebound, deleted, and changed without rebinding, in this cell. */
  readonly bound: readonly string[]
  readonly mutated: readonly string[]
  readonly deleted: readonly string[]
  /** Values of all names bound or mutated here, as they are after the cell. */
  readonly values: readonly ObservedValue[]
  readonly outputs: readonly ObservedOutput[]
  readonly events: readonly ObservedEvent[]
  /** Tokens whose state digest changed: `rng:py`, `rng:np`, `cfg:pandas`, `cfg:matplotlib`, `cfg:cwd`, `cfg:environ`, ... */
  readonly changedTokens: readonly string[]
  readonly openFigures: number
  /** High-water mark of the kernel's memory after the cell. */
  readonly peakMemoryBytes?: number | null
  /** Comm messages: widgets whose state no variable holds. */
  readonly comms?: number
}

export interface Observation {
  readonly order: readonly number[]
  readonly cells: readonly ObservedCell[]
  /** Every user name alive at the end. */
  readonly final: readonly ObservedValue[]
  /** Distribution name to version, of all imported modules. */
  readonly distributions: Readonly<Record<string, string>>
  readonly python: string
  readonly ms: number
  /** What this run could not watch, in words. */
  readonly unwatched?: readonly string[]
  /** How a moved clock was moved: `libfaketime` moves C libraries too, `wrapped` only Python's entry points. */
  readonly clock?: 'none' | 'libfaketime' | 'wrapped'
  /** Names that changed although no cell was seen to reach them; empty after the run with full hashing. */
  readonly unclaimed?: readonly string[]
  /** Walls that the kernel ran in. */
  readonly sandbox?: 'bubblewrap' | 'landlock' | 'none'
}
