/** `cellmill plan`: what a run would do, grouped by what happens, each with its reason. */
import { planProject } from '@cellmill/core/operations/plan-project.ts'
import type { Planned } from '@cellmill/core/operations/plan-project.ts'
import type { PlanStep } from '@cellmill/core/plan/plan.ts'
import { flagOption } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { formatAge, formatCount, formatDuration } from '../output/format.ts'
import { safeText } from '../output/output.ts'
import { showDiagnostics } from '../output/show-errors.ts'
import { planOptions } from './plan-options.ts'

const exitChanges = 3
const shownLines = 15

export async function handle(context: CommandContext): Promise<number> {
  const workspace = await context.workspace()
  const planned = await planProject(workspace, planOptions(context))
  const { plan } = planned
  const changes = plan.steps.filter(isChange)
  if (context.output.json) {
    const steps =
      context.global.verbose > 0
        ? plan.steps.map((row) => ({ ...row, recipe: plan.work[row.step]?.recipe ?? null }))
        : plan.steps
    const { environment, base, held, diagnostics } = plan
    context.output.writeJson({ environment, base, held, steps, diagnostics })
  } else showPlan(context, planned, workspace.clock.now())
  return flagOption(context, 'exitCode') && changes.length > 0 ? exitChanges : 0
}

/** An effect acts only when something is published, so it is no change by itself. */
function isChange(row: PlanStep): boolean {
  return row.kind !== 'effect' && (row.action !== 'reuse' || (row.publishes && row.reason.detail !== 'nothing changed'))
}

function showPlan(context: CommandContext, planned: Planned, now: string): void {
  const { output } = context
  const { plan } = planned
  showDiagnostics(output, plan.diagnostics)
  const base =
    plan.base === null
      ? `${plan.environment} is empty`
      : `Against ${plan.environment} (release ${plan.base.release}, ${formatAge(plan.base.at, now)})`
  output.say(plan.held ? `${base}  ${output.colors.yellow('held: runs build but do not publish')}` : base)
  const changes = plan.steps.filter(isChange)
  const verbose = context.global.verbose > 0
  const width = Math.max(0, ...changes.map((row) => row.step.length))
  const shown = verbose ? changes : changes.slice(0, shownLines)
  for (const row of shown) output.writeData(`${planLine(context, row, width)}\n`)
  if (shown.length < changes.length) output.writeData(`  and ${changes.length - shown.length} more (-v shows all)\n`)
  const reused = plan.steps.filter((row) => row.kind !== 'effect' && !isChange(row))
  if (reused.length > 0) output.writeData(`${output.colors.dim('=')} ${reused.length} reused\n`)
  if (verbose) showDetails(context, planned)
  output.say(lastLine(changes))
}

function planLine(context: CommandContext, row: PlanStep, width: number): string {
  const { colors } = context.output
  const mark = {
    build: row.reason.kind === 'new' ? colors.green('+') : colors.yellow('~'),
    depends: colors.cyan('>'),
    remove: colors.red('-'),
    reuse: colors.blue('^'),
  }[row.action]
  const kind = row.kind === 'asset' ? '' : `${row.kind}: `
  return `${mark} ${row.step.padEnd(width)}  ${safeText(kind + row.reason.kind)}: ${safeText(row.reason.detail)}`
}

function showDetails(context: CommandContext, planned: Planned): void {
  for (const { name, type, value, from } of planned.parameters.project.values()) {
    context.output.writeData(`  parameter ${name}: ${type} = ${JSON.stringify(value)}  (${from})\n`)
  }
  for (const [step, own] of planned.parameters.own) {
    for (const { name, type, value, from } of own.values()) {
      context.output.writeData(`  parameter ${step}.${name}: ${type} = ${JSON.stringify(value)}  (${from})\n`)
    }
  }
  if (context.global.verbose < 2) return
  for (const row of planned.plan.steps) {
    const recipe = planned.plan.work[row.step]?.recipe
    if (recipe !== undefined)
      context.output.writeData(`${JSON.stringify({ step: row.step, fingerprint: row.fingerprint, recipe })}\n`)
  }
}

function lastLine(changes: readonly PlanStep[]): string {
  if (changes.length === 0) return 'nothing to do'
  const count = (action: PlanStep['action']): number => changes.filter((row) => row.action === action).length
  const parts = [
    [count('build'), 'to build'],
    [count('depends'), 'may follow'],
    [count('reuse'), 'to publish'],
    [count('remove'), 'to remove'],
  ] as const
  const estimate = changes.reduce((sum, row) => sum + (row.estimateMs ?? 0), 0)
  const words = parts.flatMap(([n, word]) => (n === 0 ? [] : [`${formatCount(n)} ${word}`]))
  return `${words.join(', ')}${estimate > 0 ? `, about ${formatDuration(estimate)}` : ''}`
}
