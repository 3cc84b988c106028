/** N46, N48, N51 to N54, N56: effects on the world, things left running, and habits that hide failures. */
import type { Finding } from '../../finding.ts'
import type { Call, Habit } from '../../ir.ts'
import { finding, groupBy, lineText, type AuditContext, type Rule } from '../audit-context.ts'
import type { DefectCode } from '../defects.ts'
import { tokensOf } from '../token-flow.ts'

export const habitRules: readonly Rule[] = [
  { codes: ['N46'], needs: 'facts', find: leftRunning },
  { codes: ['N48'], needs: 'facts', find: effects },
  { codes: ['N51', 'N52', 'N56'], needs: 'facts', find: habits },
  { codes: ['N53'], needs: 'facts', find: pickles },
  { codes: ['N54'], needs: 'facts', find: uncheckedCertificates },
]

function callsOf(context: AuditContext): { cell: number; call: Call }[] {
  return context.statements.flatMap((statement) => {
    const late = statement.facts.definitions.flatMap(({ lateCalls }) => lateCalls)
    return [...statement.facts.calls, ...late].map((call) => ({ cell: statement.cell, call }))
  })
}

const STARTS =
  /^(threading\.(Thread|Timer)|subprocess\.Popen|asyncio\.(create_task|ensure_future)|multiprocessing\.(Process|Pool)|concurrent\.futures\.\w+Executor)$/

function leftRunning(context: AuditContext): readonly Finding[] {
  const started = context.statements.flatMap((statement) => {
    const call = statement.facts.calls.find(({ callee }) => STARTS.test(callee))
    const entered = statement.facts.kind === 'with'
    return call === undefined || entered
      ? []
      : [
          finding('N46', {
            cell: statement.cell,
            line: call.span.line,
            message: `\`${call.callee}\` may still run when the cell ends: results then depend on timing.`,
            evidence: lineText(context, statement.cell, call.span),
          }),
        ]
  })
  const awaited = context.statements.flatMap((statement) => {
    const habit = statement.facts.habits.find(({ kind }) => kind === 'await')
    return habit === undefined
      ? []
      : [
          finding('N46', {
            cell: statement.cell,
            line: habit.span.line,
            message: '`await` at the top of a cell works in IPython only; in a step it runs inside `asyncio.run`.',
            evidence: lineText(context, statement.cell, habit.span),
          }),
        ]
  })
  return [...started, ...awaited]
}

function effects(context: AuditContext): readonly Finding[] {
  const uses = tokensOf(context).filter(({ use }) => use.token === 'world')
  return [...groupBy(uses, ({ use, cell }) => `${cell} ${use.span.line} ${use.why}`).values()].flatMap(([first]) => {
    if (first === undefined) return []
    const through = first.through === null ? '' : ` (in \`${first.through}\`)`
    return [
      finding('N48', {
        cell: first.cell,
        line: first.use.span.line,
        message: `It ${first.use.why}${through}: every run does it again. It becomes an effect that happens once per release, and never during a proof.`,
        evidence: lineText(context, first.cell, first.use.span),
      }),
    ]
  })
}

const HABITS: Readonly<Partial<Record<Habit, readonly [DefectCode, string]>>> = {
  'bare-except': [
    'N51',
    'Every error is caught here and forgotten: a failure becomes a silently different result. Catch the error that is meant.',
  ],
  'chained-assignment': [
    'N52',
    'Assignment through two subscripts changes the frame or a copy of it, depending on the version of pandas (since 3.0 never the frame). Write `df.loc[rows, column] = ..`.',
  ],
  'formatted-sql': [
    'N56',
    'The SQL text is put together from variables: a value with a quote breaks the query, or changes it. Pass values as parameters.',
  ],
}

function habits(context: AuditContext): readonly Finding[] {
  return context.statements.flatMap((statement) =>
    statement.facts.habits.flatMap(({ kind, span }) => {
      const known = HABITS[kind]
      return known === undefined
        ? []
        : [
            finding(known[0], {
              cell: statement.cell,
              line: span.line,
              message: known[1],
              evidence: lineText(context, statement.cell, span),
            }),
          ]
    }),
  )
}

const UNPICKLES =
  /^(pickle|joblib|dill|cloudpickle|torch)\.(load|loads)$|^pandas\.read_pickle$|^sklearn\.externals\.joblib\.load$/
const PICKLES = /^(pickle|joblib|dill|cloudpickle|torch)\.(dump|dumps|save)$|\.to_pickle$/

function pickles(context: AuditContext): readonly Finding[] {
  const calls = callsOf(context)
  // What the notebook itself wrote is no data from outside.
  if (calls.some(({ call }) => PICKLES.test(call.callee))) return []
  return calls
    .filter(({ call }) => UNPICKLES.test(call.callee))
    .map(({ cell, call }) =>
      finding('N53', {
        cell,
        line: call.span.line,
        message: `\`${call.callee}\` runs code that is in the file, and depends on the versions that wrote it.`,
        evidence: lineText(context, cell, call.span),
      }),
    )
}

function uncheckedCertificates(context: AuditContext): readonly Finding[] {
  return callsOf(context)
    .filter(({ call }) => call.literals['verify'] === 'False' || call.callee === 'ssl._create_unverified_context')
    .map(({ cell, call }) =>
      finding('N54', {
        cell,
        line: call.span.line,
        message: 'Certificates are not checked: anybody on the way can change the data.',
        evidence: lineText(context, cell, call.span),
      }),
    )
}
