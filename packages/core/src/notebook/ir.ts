/**
 * Statement-level facts of a Python notebook, as emitted by `python/cellmill/_notebook/facts.py` in the notebook's own
 * interpreter (IPython's transformer where installed, then `ast` and `symtable`). Purely static. SSA, order and cutting
 * are computed from these in graduate/. Lines are 1-based and columns 0-based *within the cell's original source*.
 */
export interface Span {
  readonly line: number
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
}

export interface Magic {
  readonly kind: 'line' | 'cell' | 'shell' | 'help'
  /** `matplotlib`, `time`, `sql`; for shell the command's first word. */
  readonly name: string
  readonly argument: string
  /** Cell magics: the body. */
  readonly body: string | null
  /** `x = !cmd` and `x = %magic`. */
  readonly assignedTo: string | null
  /** Python names that `{x}` and `$x` read. */
  readonly reads: readonly string[]
  readonly span: Span
}

/**
 * A read or change of a name, or of a part of its value: `df["a"]` is path ["a"], `x.y` is [".y"], a computed index is
 * ["*"]; at most two levels. Every occurrence is listed; for names in code the span is that of the name alone.
 */
export interface Access {
  readonly name: string
  readonly path: readonly string[]
  readonly span: Span
}

export interface Mutation extends Access {
  /** `subscript`, `attribute`, `augmented`, `method:append`, `argument:np.random.shuffle`, `inplace`, `unknown-call`. */
  readonly how: string
  /** False when assumed because nothing is known of the callee; observation may clear it. */
  readonly certain: boolean
}

export interface Call {
  /** Dotted text with import aliases resolved (`pandas.read_csv`), or `.fit` on an unknown receiver, or '' if computed. */
  readonly callee: string
  /** Root name of the receiver for method calls. */
  readonly receiver: string | null
  readonly span: Span
  /** Literal arguments, by position or keyword, as Python source. */
  readonly literals: Readonly<Record<string, string>>
  /** Names passed directly, by position or keyword. */
  readonly names: Readonly<Record<string, string>>
}

/** External state as a token threaded like a variable: `file:PATH`, `table:T`, `net:HOST`, `rng:np`, `cfg:matplotlib`, `figure`, `clock`, `stdout`, `shell`. */
export interface TokenUse {
  readonly token: string
  readonly mode: 'read' | 'write'
  readonly why: string
  readonly span: Span
}

export interface ImportFact {
  readonly module: string
  /** `from m import name`; null for `import m`; `*` for a star. */
  readonly name: string | null
  readonly boundAs: string
  /** Distribution, `stdlib`, `local` (file beside the notebook) or null when it does not resolve here. */
  readonly origin: string | null
  readonly insideTry: boolean
}

export interface Literal {
  readonly value: string
  readonly span: Span
  readonly type: 'str' | 'bytes' | 'int' | 'float' | 'bool' | 'none' | 'fstring'
}

/** What the body of a function, lambda or class in this statement reads when it *runs*. */
export interface DefinitionFact {
  readonly name: string
  readonly kind: 'function' | 'async' | 'lambda' | 'class' | 'generator'
  /** Free global names, read at call time; transitive closure is computed in TypeScript. */
  readonly lateReads: readonly string[]
  /** Globals the body rebinds (`global x`) or mutates. */
  readonly lateWrites: readonly string[]
  /** Globals that it may mutate: passed to, or receivers of, calls of which nothing is known. */
  readonly lateMayWrites: readonly string[]
  readonly lateTokens: readonly TokenUse[]
  /** Calls in the body, and imports in it. */
  readonly lateCalls: readonly Call[]
  readonly lateImports: readonly ImportFact[]
  /** Parameters that the body mutates, by position. */
  readonly mutatesParameters: readonly number[]
  readonly mayMutateParameters: readonly number[]
  /** Parameters that the result may be, or share memory with. */
  readonly returnsParameters: readonly number[]
  readonly parameters: readonly string[]
  readonly decorated: boolean
}

export type Habit =
  | 'bare-except'
  | 'chained-assignment'
  | 'formatted-sql'
  | 'set-iteration'
  | 'await'
  | 'code-from-input'

export type StatementKind =
  | 'import'
  | 'def'
  | 'class'
  | 'assign'
  | 'augassign'
  | 'annassign'
  | 'expr'
  | 'del'
  | 'for'
  | 'while'
  | 'if'
  | 'with'
  | 'try'
  | 'match'
  | 'global'
  | 'assert'
  | 'raise'
  | 'pass'
  | 'magic'
  | 'other'

export interface StatementFacts {
  readonly index: number
  readonly span: Span
  readonly kind: StatementKind
  /** Certain bindings, in order. */
  readonly binds: readonly string[]
  /** Bindings that may not happen (inside if, try, loop bodies, match). */
  readonly mayBind: readonly string[]
  readonly deletes: readonly string[]
  /** Types that are known of the names bound here: names of the effect catalogue (`pandas.DataFrame`, `list`). */
  readonly bindTypes: Readonly<Record<string, readonly string[]>>
  /** Names bound to what cannot be stored (an open file, an iterator), with the reason. */
  readonly resources: Readonly<Record<string, string>>
  /** Reads when the statement runs (defaults and decorators included; bodies of definitions are in `definitions`). */
  readonly reads: readonly Access[]
  readonly mutations: readonly Mutation[]
  /**
   * `b = a`, `b = a[1:]`, `b = df[mask]`: the result may share memory with these names. Where both are one name
   * (`df = df[mask]`), the new version may share memory with the old one.
   */
  readonly aliases: readonly {
    readonly target: string
    readonly source: string
    readonly kind: 'same' | 'view' | 'maybe'
  }[]
  readonly calls: readonly Call[]
  readonly tokens: readonly TokenUse[]
  readonly imports: readonly ImportFact[]
  readonly definitions: readonly DefinitionFact[]
  readonly literals: readonly Literal[]
  /** Names that occur as words in strings of this statement (queries, formulas, SQL, f-strings). */
  readonly namesInStrings: readonly string[]
  /** `exec`, `eval`, `globals`, `locals`, `vars`, `setattr-module`, `getattr-computed`, `get_ipython`, `run`, ... */
  readonly dynamic: readonly string[]
  /** Names that newer versions of a library removed or changed. */
  readonly outdated: readonly { readonly name: string; readonly advice: string; readonly span: Span }[]
  readonly habits: readonly { readonly kind: Habit; readonly span: Span }[]
  /** Top-level expression whose value Jupyter would show (last in cell, no trailing `;`). */
  readonly displays: boolean
  /** An assignment of one literal scalar to one name: its Python source, else null. */
  readonly scalar: {
    readonly name: string
    readonly type: 'int' | 'float' | 'bool' | 'str' | 'date'
    readonly source: string
  } | null
}

export interface CellFacts {
  readonly index: number
  /** After magics became comments or calls; lines and columns of user code are kept. */
  readonly transformed: string
  readonly magics: readonly Magic[]
  /** Null when it parses. */
  readonly syntaxError: {
    readonly message: string
    readonly line: number
    readonly column: number
    readonly python2: boolean
  } | null
  readonly statements: readonly StatementFacts[]
}

export interface NotebookFacts {
  readonly python: string
  readonly ipython: string | null
  readonly cells: readonly CellFacts[]
}
