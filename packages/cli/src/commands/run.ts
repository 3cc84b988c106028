/** `cellmill run`: builds, checks, publishes; exit 1 when anything failed, 130 when interrupted. */
import { runProject } from '@cellmill/core/operations/run-project.ts'
import { flagOption, textOption } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { runReporter } from '../output/run-reporter.ts'
import { showDiagnostic } from '../output/show-errors.ts'
import { handle as handlePlan } from './plan.ts'
import { planOptions } from './plan-options.ts'

export async function handle(context: CommandContext): Promise<number> {
  if (flagOption(context, 'dryRun')) return handlePlan(context)
  const workspace = await context.workspace()
  const reporter = runReporter(context.output)
  try {
    const outcome = await runProject(workspace, {
      ...planOptions(context),
      publish: context.options['publish'] !== false,
      allowMixed: flagOption(context, 'allowMixed'),
      message: textOption(context, 'message') ?? '',
      emit: (event) => {
        if (event.type === 'run-finished' && !context.output.json && context.global.verbose > 0) {
          for (const diagnostic of event.diagnostics)
            if (diagnostic.severity === 'warning') showDiagnostic(context.output, diagnostic)
        }
        reporter.emit(event)
      },
      signal: context.signal,
    })
    if (outcome.state === 'cancelled') return 130
    return outcome.state === 'succeeded' ? 0 : 1
  } finally {
    reporter.close()
  }
}
