/** N41: models that may have seen the test data. Invariant: only flow through names that are plain to see counts. */
import type { Finding } from '../../finding.ts'
import type { Call } from '../../ir.ts'
import { finding, lineText, type AuditContext, type PlacedStatement, type Rule } from '../audit-context.ts'

export const modelRules: readonly Rule[] = [{ codes: ['N41'], needs: 'facts', find: leakage }]

interface Step {
  readonly statement: PlacedStatement
  readonly call: Call
}

/** Transformers that learn from the data they see. */
const LEARNS =
  /(Scaler|Imputer|Encoder|PCA|SVD|NMF|ICA|SelectKBest|SelectPercentile|SelectFromModel|RFE|RFECV|VarianceThreshold|Discretizer|Transformer|Normalizer|Vectorizer|SMOTE|ADASYN|OverSampler|UnderSampler|TargetEncoder)\b/

function leakage(context: AuditContext): readonly Finding[] {
  const steps = context.statements.flatMap((statement) => statement.facts.calls.map((call) => ({ statement, call })))
  return [...preparedBeforeSplit(context, steps), ...fittedOnTest(context, steps)]
}

function splitsOf(steps: readonly Step[]): readonly Step[] {
  return steps.filter(({ call }) => call.callee.endsWith('train_test_split'))
}

function preparedBeforeSplit(context: AuditContext, steps: readonly Step[]): readonly Finding[] {
  const findings: Finding[] = []
  for (const split of splitsOf(steps)) {
    const given = new Set(Object.values(split.call.names))
    const earlier = steps.filter(({ statement }) => statement.order < split.statement.order)
    const fit = earlier.find((step) => fitsPreparation(context, step) && reaches(step, earlier, given))
    if (fit === undefined) continue
    findings.push(
      finding('N41', {
        cell: fit.statement.cell,
        line: fit.call.span.line,
        message: `It is fitted on all rows, and cell ${split.statement.cell} splits them into train and test afterwards: the test rows have shaped what the model learns from, and the score is too good. Split first, and put it into a \`Pipeline\`.`,
        evidence: lineText(context, fit.statement.cell, fit.call.span),
      }),
    )
  }
  return findings
}

function fitsPreparation(context: AuditContext, step: Step): boolean {
  return /\.(fit|fit_transform|fit_resample|fit_sample)$/.test(step.call.callee) && learns(context, step)
}

/** What the split gets was made by this fit, or by `transform` of what it fitted. */
function reaches(fit: Step, earlier: readonly Step[], given: ReadonlySet<string>): boolean {
  const makers = earlier.filter(
    ({ statement, call }) =>
      statement.order >= fit.statement.order &&
      /\.(transform|fit_transform|fit_resample|fit_sample)$/.test(call.callee) &&
      (statement === fit.statement || (call.receiver !== null && call.receiver === fit.call.receiver)),
  )
  return makers.some(({ statement }) =>
    [...statement.facts.binds, ...statement.facts.mutations.map(({ name }) => name)].some((name) => given.has(name)),
  )
}

/** The transformer is named in the statement, or where its variable was bound. */
function learns(context: AuditContext, { statement, call }: Step): boolean {
  if (statement.facts.calls.some(({ callee }) => LEARNS.test(callee))) return true
  const maker = (context.flow.bindings.get(call.receiver ?? '') ?? [])
    .filter(({ order }) => order < statement.order)
    .at(-1)
  return maker?.statement.facts.calls.some(({ callee }) => LEARNS.test(callee)) ?? false
}

/** The second, fourth, .. result of a split are its test parts. */
function testNames(steps: readonly Step[]): ReadonlySet<string> {
  return new Set(
    splitsOf(steps).flatMap(({ statement }) =>
      statement.facts.binds.filter((name, position) => position % 2 === 1 && !/train/i.test(name)),
    ),
  )
}

function fittedOnTest(context: AuditContext, steps: readonly Step[]): readonly Finding[] {
  const tests = testNames(steps)
  return steps.flatMap(({ statement, call }) => {
    const first = call.names['0'] ?? call.names['X']
    if (
      first === undefined ||
      !tests.has(first) ||
      !/\.(fit|fit_transform|fit_resample|partial_fit)$/.test(call.callee)
    )
      return []
    return [
      finding('N41', {
        cell: statement.cell,
        line: call.span.line,
        message: `\`${first}\` is test data, and this fits on it: ${call.callee.endsWith('.fit') ? 'the score on it says nothing about new data' : 'use `transform` with what was learnt from the training data'}.`,
        evidence: lineText(context, statement.cell, call.span),
      }),
    ]
  })
}
