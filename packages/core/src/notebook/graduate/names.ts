/** Names for what is generated: unique in the module, never that of a builtin, a keyword or anything the notebook says. */

const KEYWORDS =
  'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield match case type'
const BUILTINS =
  'abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex copyright credits delattr dict dir display divmod enumerate eval exec exit filter float format frozenset get_ipython getattr globals hasattr hash help hex id input int isinstance issubclass iter len license list locals map max memoryview min next object oct open ord pow print property quit range repr reversed round set setattr slice sorted staticmethod str sum super tuple type vars zip ' +
  'ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError BrokenPipeError BufferError BytesWarning ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError Ellipsis EncodingWarning EnvironmentError Exception ExceptionGroup FileExistsError FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError ImportError ImportWarning IndentationError IndexError InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError NotADirectoryError NotImplemented NotImplementedError OSError OverflowError PendingDeprecationWarning PermissionError ProcessLookupError RecursionError ReferenceError ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning ZeroDivisionError'

export const BUILTIN_NAMES: ReadonlySet<string> = new Set(BUILTINS.split(' '))
const RESERVED: ReadonlySet<string> = new Set([
  ...KEYWORDS.split(' '),
  ...BUILTIN_NAMES,
  'asset',
  'check',
  'effect',
  'param',
  'report',
  'setup',
  'cellmill',
  'self',
])

export class NameTable {
  readonly #taken: Set<string>

  constructor(taken: Iterable<string>) {
    this.#taken = new Set(taken)
  }

  /** `wanted`, or with the first free number behind it. `own` may be taken although the notebook says it. */
  take(wanted: string, own: string | null = null): string {
    const base = identifier(wanted)
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? base : `${base}_${number}`
      if (RESERVED.has(name) || (this.#taken.has(name) && name !== own)) continue
      if (this.#used.has(name)) continue
      this.#used.add(name)
      return name
    }
  }

  readonly #used = new Set<string>()
}

/** `X_train` to `x_train`, `Späte Flüge!` to `spate_fluge`. */
export function identifier(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036F]/gu, '')
    .replaceAll(/([a-z0-9])([A-Z])/gu, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, '_')
    .replaceAll(/^_+|_+$/gu, '')
    .slice(0, 48)
    .replace(/_+$/u, '')
  if (plain === '') return 'value'
  return /^[0-9]/u.test(plain) ? `n${plain}` : plain
}
