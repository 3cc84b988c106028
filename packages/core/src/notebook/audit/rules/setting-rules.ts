/** N30, N31, N50, N58: clocks and orders that are not fixed, settings of the whole process. */
import type { Finding } from '../../finding.ts'
import { finding, groupBy, lineText, type AuditContext, type Rule } from '../audit-context.ts'
import { tokensOf, type PlacedToken } from '../token-flow.ts'

export const settingRules: readonly Rule[] = [
  { codes: ['N30'], needs: 'facts', find: notFixed },
  { codes: ['N31'], needs: 'facts', find: processSettings },
  { codes: ['N50'], needs: 'facts', find: silencedWarnings },
  { codes: ['N58'], needs: 'facts', find: localTime },
]

const NOT_FIXED: Readonly<Record<string, string>> = {
  clock: 'reads the clock: the result depends on when it runs. A logical time (`run_time`) can be given instead',
  entropy: 'gives another value in every run',
  host: 'depends on the machine',
  listing: 'lists files in an order that differs between machines. Put `sorted(..)` around it',
}

function notFixed(context: AuditContext): readonly Finding[] {
  const uses = tokensOf(context).filter(
    (token) => NOT_FIXED[token.use.token] !== undefined && !isTiming(context, token),
  )
  const found = [...groupBy(uses, ({ use, cell }) => `${cell} ${use.token}`).values()].flatMap(([first]) => {
    if (first === undefined) return []
    const through = first.through === null ? '' : ` (in \`${first.through}\`)`
    return [
      finding('N30', {
        cell: first.cell,
        line: first.use.span.line,
        message: `\`${first.use.why}\`${through} ${NOT_FIXED[first.use.token] ?? ''}.`,
        evidence: lineText(context, first.cell, first.use.span),
      }),
    ]
  })
  const sets = context.statements.flatMap((statement) => {
    const habit = statement.facts.habits.find(({ kind }) => kind === 'set-iteration')
    if (habit === undefined) return []
    return [
      finding('N30', {
        cell: statement.cell,
        line: habit.span.line,
        message:
          'It goes through a set: the order differs between runs. Put `sorted(..)` around it if the order matters.',
        evidence: lineText(context, statement.cell, habit.span),
      }),
    ]
  })
  return [...found, ...sets]
}

const STOPWATCH =
  /^\s*(t|t_?\d+|tic|toc|\w*_?(start|end|begin|began|time|tic|toc)\w*)\s*=|\btime\(\)\s*-|-\s*(time\.)?time\(\)/i

/** `t0 = time()` and `time() - t0` measure how long something takes: no result depends on it. */
function isTiming(context: AuditContext, { use, cell, through, written }: PlacedToken): boolean {
  if (!/^time\.time(_ns)?$/.test(use.why)) return false
  const home = through === null ? cell : (context.flow.definitions.get(through)?.cell ?? cell)
  return STOPWATCH.test(lineText(context, home, written))
}

const SETTINGS: Readonly<Record<string, string>> = {
  'cfg:cwd': 'the working folder',
  'cfg:environ': 'environment variables',
  'cfg:sys.path': 'where modules are looked for (`sys.path`)',
  'cfg:pandas': "pandas' options",
  'cfg:numpy': "NumPy's settings",
  'cfg:matplotlib': "matplotlib's settings",
  'cfg:warnings': 'the filter of warnings',
  'cfg:logging': 'logging',
  'cfg:locale': 'the locale',
  'cfg:decimal': 'the decimal context',
  'cfg:stdout': 'where output goes',
}

function processSettings(context: AuditContext): readonly Finding[] {
  const last = context.codeCells.filter((cell) => cell.source.trim() !== '').at(-1)?.index ?? 0
  const writes = tokensOf(context).filter(
    ({ use, cell }) =>
      use.token.startsWith('cfg:') &&
      use.mode === 'write' &&
      use.token !== 'cfg:ipython' &&
      cell < last &&
      !use.why.startsWith('%matplotlib') &&
      !use.why.includes('nothing is known'),
  )
  return [...groupBy(writes, ({ use, cell }) => `${cell} ${use.token}`).values()].flatMap(([first]) => {
    if (first === undefined) return []
    const what = SETTINGS[first.use.token] ?? `the state of ${first.use.token.slice(4)}`
    return [
      finding('N31', {
        cell: first.cell,
        line: first.use.span.line,
        message: `\`${first.use.why}\` changes ${what} for every cell below: they give other results without this cell. It becomes part of the setup that runs before each step.`,
        evidence: lineText(context, first.cell, first.use.span),
      }),
    ]
  })
}

function silencedWarnings(context: AuditContext): readonly Finding[] {
  return context.statements.flatMap((statement) =>
    statement.facts.calls
      .filter(
        ({ callee, literals, names }) =>
          /^warnings\.(filterwarnings|simplefilter)$/.test(callee) &&
          (literals['0'] ?? literals['action']) === "'ignore'" &&
          !('category' in names) &&
          !('1' in names) &&
          !('message' in literals) &&
          !('module' in literals) &&
          !('1' in literals),
      )
      .map(({ span }) =>
        finding('N50', {
          cell: statement.cell,
          line: span.line,
          message:
            'All warnings are switched off: nobody sees what newer versions will change, or which numbers are doubtful. Name a category or module.',
          evidence: lineText(context, statement.cell, span),
        }),
      ),
  )
}

function localTime(context: AuditContext): readonly Finding[] {
  return context.statements.flatMap((statement) =>
    statement.facts.calls
      .filter(
        ({ callee, literals, names }) =>
          (/^datetime\.(datetime|date)\.fromtimestamp$/.test(callee) &&
            !('tz' in literals) &&
            !('tz' in names) &&
            !('1' in names) &&
            Object.keys({ ...literals, ...names }).length < 2) ||
          callee === 'time.localtime' ||
          callee === 'time.mktime',
      )
      .map(({ span, callee }) =>
        finding('N58', {
          cell: statement.cell,
          line: span.line,
          message: `\`${callee}\` uses the time zone of the machine: elsewhere the same moment gets another date. Give the zone.`,
          evidence: lineText(context, statement.cell, span),
        }),
      ),
  )
}
