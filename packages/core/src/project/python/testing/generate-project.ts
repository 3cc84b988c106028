/** Small random Python projects and edits of them, for the property that no edit leaves a result stale. */
import * as fc from 'fast-check'

/** Top-level statements by file. */
export type Program = Readonly<Record<string, readonly string[]>>

export const stepFile = 'assets/area/main.py'
export const stepSymbols: readonly string[] = ['step_a', 'step_b']

/** What each module imports: no circles, so that programs mostly run. */
const modules: readonly { readonly file: string; readonly imports: readonly string[] }[] = [
  { file: 'low.py', imports: [] },
  { file: 'pkg/__init__.py', imports: ['low'] },
  { file: 'pkg/mid.py', imports: ['low'] },
  { file: 'assets/area/near.py', imports: ['low', 'pkg.mid'] },
]

const number = fc.integer({ min: 0, max: 4 })
const letter = fc.constantFrom('0', '1', '2')
const dataName = fc.tuple(fc.constantFrom('C', 'D', 'K'), letter).map(([kind, n]) => kind + n)

/** Which of a module's own functions and classes an expression may name: those that do not lead back to it. */
type Own = readonly string[]
const every: Own = ['0', '1', '2']

function qualified(imports: readonly string[], own: Own, of: (n: string) => string): fc.Arbitrary<string> {
  const choices = [...own.map(of), ...imports.flatMap((module) => every.map((n) => `${module}.${of(n)}`))]
  return choices.length === 0 ? fc.constant('0') : fc.constantFrom(...choices)
}

/** An expression over a module's data, its `own` functions, and everything in the modules it imports. */
function expression(imports: readonly string[], own: Own): fc.Arbitrary<string> {
  const prefix = fc.constantFrom('', ...imports.map((module) => `${module}.`))
  const patterns: fc.Arbitrary<string>[] = [
    number.map(String),
    fc.tuple(prefix, dataName).map(([p, n]) => p + n),
    fc
      .tuple(
        qualified(imports, own, (n) => `f${n}`),
        number,
      )
      .map(([f, x]) => (f === '0' ? f : `${f}(${x})`)),
    qualified(imports, own, (n) => `Cls${n}().m()`),
    qualified(imports, own, (n) => `Cls${n}.a`),
    prefix.map((p) => `sorted(${p}REG)`),
    prefix.map((p) => `len(${p}L)`),
    prefix.map((p) => `list(${p}L)`),
    prefix.map((p) => `${p}SEEN[:]`),
    fc.constant('bump()'),
    fc.constant('max(1, 2)'),
    fc.constant('HERE'),
  ]
  if (imports.length > 0) {
    const module = fc.constantFrom(...imports)
    patterns.push(module.map((m) => `[v(1) if callable(v) else v for k, v in sorted(${m}.REG.items())]`))
    patterns.push(fc.tuple(module, letter).map(([m, n]) => `[g(1) for g in ${m}.T${n}]`))
    patterns.push(fc.tuple(module, letter).map(([m, n]) => `getattr(${m}, "C${n}")`))
    patterns.push(fc.tuple(module, letter).map(([m, n]) => `[m.C${n} for m in [${m}]]`))
  }
  return fc.oneof(...patterns)
}

/** One definition of every name that expressions use, in an order in which they can stand. */
function definitions(imports: readonly string[]): fc.Arbitrary<readonly string[]> {
  const constants = every.map((n) =>
    fc.oneof(
      number.map((x) => `C${n} = ${x}`),
      number.map((x) => `C${n}: int = ${x}  # constant`),
      ...(n === '0' ? [] : [fc.constant(`C${n} = C0`), number.map((x) => `C${n} = C0 + ${x}`)]),
    ),
  )
  const derived = every.map((n) =>
    fc.oneof(
      fc.constant(`D${n} = [C0, C1]`),
      fc.constant(`D${n} = len(L)`),
      fc.constant(`D${n} = tuple(REG)`),
      number.map((x) => `D${n} = {"a": ${x}, "b": [i * C0 for i in range(3)]}`),
      fc
        .tuple(dataName, number)
        .map(([name, x]) => (name.startsWith('C') ? `D${n} = str(${name}) + "${x}"` : `D${n} = ${x}`)),
      ...imports.map((m) => letter.map((k) => `D${n} = (${m}.C${k}, ${m}.f${k}(1))`)),
      ...imports.map((m) => letter.map((k) => `D${n} = ${m}.D${k}`)),
      ...imports.map((m) => letter.map((k) => `from ${m} import C${k} as D${n}`)),
    ),
  )
  const flags = every.map((n) =>
    fc.oneof(
      fc.tuple(letter, number).map(([k, x]) => `if C${k} > ${x}:\n    K${n} = 1\nelse:\n    K${n} = 2`),
      fc.tuple(letter, number).map(([k, x]) => `K${n} = C${k} > ${x}`),
    ),
  )
  const functions = every.map((n) => functionText(imports, n))
  const classes = every.map((n) => classText(imports, n))
  const tables = every.map((n) => fc.tuple(letter, letter).map(([a, b]) => `T${n} = [f${a}, f${b}]`))
  const fixed = [
    'REG = {}',
    'L = []',
    'SEEN = []',
    'def register(key):\n    def inner(f):\n        REG[key] = f\n        return f\n    return inner',
    'N = 0\ndef bump():\n    global N\n    N += 1\n    return N',
    'HERE = __file__[-7:]',
  ].map((text) => fc.constant(text))
  const base = fc.constantFrom(
    'class Base:\n    a = 1',
    'class Base:\n    a = 2\n    def __init_subclass__(cls):\n        SEEN.append(cls.__name__)',
  )
  return fc.tuple(...constants, ...fixed, ...derived, ...functions, base, ...classes, ...tables, ...flags)
}

function functionText(imports: readonly string[], n: string): fc.Arbitrary<string> {
  const below = every.filter((other) => other < n)
  const value = expression(imports, below)
  const patterns: fc.Arbitrary<string>[] = [
    fc.tuple(value, value).map(([a, b]) => `def f${n}(x):\n    """Doc."""\n    return (x, ${a}, ${b})`),
    fc.tuple(value, letter).map(([a, k]) => `def f${n}(x, y=C${k}):\n    return (x, y, ${a})`),
    fc
      .tuple(value, number)
      .map(
        ([a, x]) => `import functools\n@functools.lru_cache\ndef f${n}(x):\n    C0 = ${x}\n    return (x, C0, ${a})`,
      ),
    value.map((a) => `f${n} = lambda x: (x, ${a})`),
    value.map((a) => `@register("${n}")\ndef f${n}(x):\n    return (x, ${a})`),
    fc.tuple(letter, number).map(([k, x]) => `def f${n}(x):\n    global C${k}\n    C${k} = ${x}\n    return C${k}`),
    fc.tuple(dataName, number).map(([name, x]) => `def f${n}(x, name="${name}"):\n    return (globals()[name], ${x})`),
  ]
  for (const module of imports) {
    patterns.push(
      letter.map((k) => `def f${n}(x):\n    import ${module} as inner\n    return (x, inner.C${k}, inner.f${k}(x))`),
    )
    patterns.push(letter.map((k) => `from ${module} import f${k} as f${n}`))
    patterns.push(
      fc
        .tuple(letter, number)
        .map(([k, x]) => `def f${n}(x):\n    ${module}.C${k} = ${x}\n    return (x, ${module}.f${k}(x))`),
    )
  }
  return fc.oneof(...patterns)
}

function classText(imports: readonly string[], n: string): fc.Arbitrary<string> {
  const below = every.filter((other) => other < n)
  const value = expression(imports, below)
  const inherited = fc.constantFrom(
    'Base',
    ...below.map((k) => `Cls${k}`),
    ...imports.map((module) => `${module}.Base`),
  )
  return fc.oneof(
    fc
      .tuple(number, value)
      .map(([x, e]) => `class Cls${n}:\n    a = ${x}\n    def m(self):\n        return (self.a, ${e})`),
    fc
      .tuple(inherited, value)
      .map(([b, e]) => `class Cls${n}(${b}):\n    """Doc."""\n    def m(self):\n        return (self.a, ${e})`),
    fc
      .tuple(inherited, number)
      .map(
        ([b, x]) =>
          `class Cls${n}(${b}):\n    a = ${x}\n    @property\n    def p(self):\n        return self.a\n    def m(self):\n        return self.p`,
      ),
    fc
      .tuple(number, letter)
      .map(
        ([x, k]) =>
          `import dataclasses\n@dataclasses.dataclass\nclass Cls${n}:\n    a: int = ${x}\n    b: int = C${k}\n    def m(self):\n        return (self.a, self.b)`,
      ),
  )
}

/** Statements that may stand anywhere, and may do anything. */
function statement(imports: readonly string[]): fc.Arbitrary<string> {
  const patterns: fc.Arbitrary<string>[] = [
    fc.tuple(letter, number).map(([n, x]) => `C${n} = ${x}`),
    fc.tuple(letter, number).map(([n, x]) => `REG["${n}"] = ${x}`),
    number.map((x) => `for i in range(${x}):\n    L.append(i)`),
    number.map((x) => `L += [${x}]`),
    fc.tuple(letter, expression(imports, every)).map(([n, e]) => `def f${n}(x):\n    return (x, "again", ${e})`),
    fc.constant('bump()'),
    fc.tuple(letter, number).map(([n, x]) => `try:\n    C${n} = ${x} + C${n}\nexcept TypeError:\n    C${n} = 0`),
    fc.tuple(letter, number).map(([n, x]) => `def set${n}():\n    global C${n}\n    C${n} = ${x}\nset${n}()`),
    fc.constantFrom(
      'def len(x):\n    return 77',
      'def max(*x):\n    return 78',
      'U = 1',
      'def unused():\n    return 1',
    ),
    fc.constantFrom('__all__ = ["C0", "f0", "f1"]', '__all__ = ["C1", "REG", "L"]', 'import json', 'pass'),
  ]
  for (const module of imports) {
    patterns.push(fc.tuple(letter, number).map(([n, x]) => `${module}.C${n} = ${x}`))
    patterns.push(letter.map((n) => `${module}.f${n} = lambda x: ("patched", x)`))
    patterns.push(fc.tuple(letter, letter).map(([n, k]) => `${module}.Cls${n}.m = lambda self: f${k}(1)`))
    patterns.push(fc.constant(`from ${module} import *`))
    patterns.push(letter.map((n) => `from ${module} import C${n}`))
    patterns.push(fc.constant(`${module}.REG["patched"] = 3`))
  }
  return fc.oneof(...patterns)
}

function moduleText(imports: readonly string[], count: number): fc.Arbitrary<readonly string[]> {
  return fc
    .tuple(
      definitions(imports),
      fc.array(fc.tuple(statement(imports), fc.nat({ max: 40 })), { maxLength: count }),
      fc.shuffledSubarray([...imports], { minLength: imports.length }),
    )
    .map(([defined, extra, order]) => {
      const texts = [...order.map((module) => `import ${module}`), ...defined]
      for (const [text, place] of extra) texts.splice(order.length + (place % (defined.length + 1)), 0, text)
      return texts
    })
}

export const program: fc.Arbitrary<Program> = fc
  .tuple(
    ...modules.map(({ imports }) => moduleText(imports, 2)),
    moduleText(['low', 'pkg.mid', 'near'], 2),
    fc.tuple(expression(['low', 'pkg.mid', 'near'], every), expression(['low', 'pkg.mid', 'near'], every)),
    fc.tuple(expression(['near'], every), expression(['pkg.mid'], every)),
  )
  .map((parts) => {
    const texts = parts.slice(0, modules.length) as (readonly string[])[]
    const main = parts[modules.length] as readonly string[]
    const steps = parts.slice(modules.length + 1) as [string, string][]
    const found: Record<string, readonly string[]> = {}
    modules.forEach(({ file }, i) => (found[file] = texts[i]!))
    found[stepFile] = [
      'from cellmill import asset',
      ...main,
      ...steps.map(([a, b], i) => `@asset\ndef ${stepSymbols[i]!}():\n    return (${a}, ${b})`),
    ]
    return found
  })

export interface Edit {
  readonly name: string
  /** True when no result can change, so that no closure may. */
  readonly isNeutral: boolean
  readonly apply: (program: Program) => Program
}

const position = fc.tuple(fc.nat({ max: 1000 }), fc.nat({ max: 1000 }), fc.nat({ max: 1000 }))

function at(program: Program, [a, b]: readonly number[]): { file: string; index: number } {
  const files = Object.keys(program)
  const file = files[a! % files.length]!
  return { file, index: b! % program[file]!.length }
}

function withStatements(program: Program, file: string, statements: readonly string[]): Program {
  return { ...program, [file]: statements }
}

function change(program: Program, file: string, index: number, edit: (text: string) => readonly string[]): Program {
  return withStatements(
    program,
    file,
    program[file]!.flatMap((text, i) => (i === index ? edit(text) : [text])),
  )
}

export const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(position, number).map(([where, value]): Edit => ({
    name: 'change a number',
    isNeutral: false,
    apply: (program) => {
      const { file, index } = at(program, where)
      const digits = [...program[file]![index]!.matchAll(/(?<![A-Za-z_0-9])\d+/g)]
      if (digits.length === 0) return program
      const digit = digits[where[2] % digits.length]!
      return change(program, file, index, (text) => [
        text.slice(0, digit.index) + String(value + 5) + text.slice(digit.index + digit[0].length),
      ])
    },
  })),
  position.map((where): Edit => ({
    name: 'move a statement',
    isNeutral: false,
    apply: (program) => {
      const { file, index } = at(program, where)
      const rest = program[file]!.filter((_, i) => i !== index)
      return withStatements(program, file, rest.toSpliced(where[2] % (rest.length + 1), 0, program[file]![index]!))
    },
  })),
  position.map((where): Edit => ({
    name: 'take a statement out',
    isNeutral: false,
    apply: (program) => {
      const { file, index } = at(program, where)
      return change(program, file, index, () => [])
    },
  })),
  fc.tuple(position, statement(['low'])).map(([where, text]): Edit => ({
    name: 'add a statement',
    isNeutral: false,
    apply: (program) => {
      const { file, index } = at(program, where)
      return change(program, file, index, (old) => [old, text])
    },
  })),
  fc.tuple(position, letter, letter).map(([where, from, to]): Edit => ({
    name: 'rename a reference',
    isNeutral: false,
    apply: (program) => {
      const { file, index } = at(program, where)
      return change(program, file, index, (text) => [
        text.replaceAll(`C${from}`, `C${to}`).replaceAll(`f${to}(`, `f${from}(`),
      ])
    },
  })),
  position.map((where): Edit => ({
    name: 'comment and format',
    isNeutral: true,
    apply: (program) => {
      const { file, index } = at(program, where)
      return change(program, file, index, (text) => [
        `# ${where[2]}\n\n${text.replaceAll('"""Doc."""', `"""Doc ${where[2]}."""`).replaceAll(', ', ',  ')}  # end\n\n`,
      ])
    },
  })),
)

export function filesOf(program: Program): Record<string, string> {
  return Object.fromEntries(Object.entries(program).map(([file, statements]) => [file, `${statements.join('\n')}\n`]))
}
