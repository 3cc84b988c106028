/** Checks that a SQL file writes in comments, as steps of their own: editing one rebuilds no asset. */
import type { Diagnostic } from '../../diagnostics.ts'
import type { QueryFacts } from '../../fingerprint/sql/query-facts.ts'
import type { SqlStepFacts } from '../../fingerprint/sql/sql-closures.ts'
import { volatileCalls } from '../../fingerprint/sql/volatile-functions.ts'
import type { CheckRule, StepDefinition } from '../../model/project.ts'
import { defaultOptions } from '../../model/default-options.ts'
import type { WrittenCheck } from './check-annotations.ts'
import type { MacroFact } from './discover-macros.ts'
import type { SqlAsset } from './discover-sql.ts'

export interface CheckSteps {
  readonly steps: readonly StepDefinition[]
  readonly facts: Readonly<Record<string, SqlStepFacts>>
  readonly diagnostics: readonly Diagnostic[]
}

export function checkSteps(asset: SqlAsset, macros: readonly MacroFact[]): CheckSteps {
  const steps: StepDefinition[] = []
  const facts: Record<string, SqlStepFacts> = {}
  const diagnostics: Diagnostic[] = []
  for (const written of asset.annotations.checks) {
    const step = checkStep(asset, written)
    steps.push(step)
    const expression = written.rule.type === 'expression' ? asset.checks[written.rule.sql]! : null
    if (expression !== null) diagnostics.push(...expressionProblems(written, expression, macros))
    facts[step.id] = {
      units: [],
      reads: readsOf(written.rule, expression),
      unordered: true,
      sorted: false,
      orderFree: expression === null || expression.order.orderFree,
      volatile: [],
      projectParameters: [],
      sql: '',
      macros: [],
      files: [asset.file],
    }
  }
  return { steps, facts, diagnostics }
}

function checkStep(asset: SqlAsset, { text, rule, severity, place }: WrittenCheck): StepDefinition {
  const relation = asset.name.split('.').at(-1)!
  return {
    id: `${asset.name}.${text}`,
    kind: 'check',
    language: 'sql',
    place,
    file: asset.file,
    symbol: '',
    inputs: [
      {
        argument: relation,
        reference: asset.name,
        target: null,
        annotation: '',
        form: 'relation',
        columns: null,
        place,
      },
    ],
    outputs: [],
    parameters: [],
    options: defaultOptions,
    description: text,
    check: { asset: asset.name, severity, rule },
  }
}

function readsOf(rule: CheckRule, expression: QueryFacts | null): readonly string[] | null {
  switch (rule.type) {
    case 'not_null':
    case 'unique':
      return rule.columns.map((column) => column.toLowerCase())
    case 'accepted_values':
      return [rule.column.toLowerCase()]
    case 'row_count':
      return []
    case 'expression':
      return expression?.reads ?? null
  }
}

function expressionProblems(
  { place, text }: WrittenCheck,
  facts: QueryFacts,
  macros: readonly MacroFact[],
): Diagnostic[] {
  const problem = (message: string, fix: string): Diagnostic[] => [
    { code: 'D020', severity: 'error', message, at: place, notes: [], fix },
  ]
  if (facts.problem !== null)
    return problem(
      `'${text}' is not an expression: ${facts.problem.message}`,
      'write a condition on the columns, such as  total >= 0',
    )
  if (facts.relations.length > 0 || facts.tableFunctions.length > 0)
    return problem(
      'a check in a comment reads its own asset only',
      'write it as a check in Python or TypeScript with both as inputs',
    )
  if (facts.parameters.length > 0)
    return problem('a check in a comment cannot read parameters', 'write the value itself')
  const [volatile] = volatileCalls(facts)
  if (volatile !== undefined)
    return problem(
      `the verdict would change with ${volatile.what}`,
      'write it as a check in Python or TypeScript, with refresh',
    )
  const names = new Set(macros.map((macro) => macro.name))
  const macro = facts.functions.find((call) => names.has(call.name.toLowerCase()))
  if (macro !== undefined)
    return problem(`a check in a comment cannot call the macro '${macro.name}'`, 'compute it as a column of the asset')
  const unknown = facts.functions.find((call) => call.stability === null && call.name !== '')
  if (unknown !== undefined && !builtInForms.has(unknown.name.toLowerCase())) {
    return problem(
      `there is no function '${unknown.name}'`,
      unknown.suggestion === null ? 'see the functions of DuckDB' : `did you mean '${unknown.suggestion}'?`,
    )
  }
  return []
}

/** Written like functions, and known to the parser alone. */
export const builtInForms: ReadonlySet<string> = new Set([
  'grouping',
  'grouping_id',
  'try',
  'ifnull',
  'if',
  'coalesce',
  'columns',
  'exists',
  'operator',
  'extract',
])
