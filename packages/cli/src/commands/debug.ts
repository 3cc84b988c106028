/** `cellmill debug RUN ASSET`: a shell with the recorded inputs; without a terminal it prints what to start. */
import { spawn } from 'node:child_process'
import { openStep } from '@cellmill/core/operations/debug-step.ts'
import { flagOption, textArgument } from '../command.ts'
import type { CommandContext } from '../command.ts'

export async function handle(context: CommandContext): Promise<number> {
  const workspace = await context.workspace()
  const notebook = flagOption(context, 'notebook')
  const opened = await openStep(workspace, { run: textArgument(context, 0), asset: textArgument(context, 1), notebook })
  const { output } = context
  if (output.json) {
    output.writeJson(opened)
    return 0
  }
  if (notebook) {
    output.sayAlways(`wrote ${opened.notebook}   open it: jupyter lab ${opened.notebook}`)
    return 0
  }
  const isInteractive = process.stdin.isTTY && process.stdout.isTTY
  if (flagOption(context, 'script') || !isInteractive) {
    output.writeData(`${opened.command.join(' ')}\n`)
    return 0
  }
  return startShell(opened.command)
}

/** Ctrl-C belongs to the shell while it runs. */
async function startShell(command: readonly string[]): Promise<number> {
  const ignore = (): void => {}
  process.on('SIGINT', ignore)
  try {
    const child = spawn(command[0]!, command.slice(1), { stdio: 'inherit' })
    return await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve(code ?? 1))
    })
  } finally {
    process.off('SIGINT', ignore)
  }
}
