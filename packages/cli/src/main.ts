/**
 * The command line: parses, runs one handler, shows what went wrong, and exits with the code of EXPERIENCE. The only
 * catch of the program is here.
 */
import { Command, CommanderError } from 'commander'
import type { CommandContext, CommandSpec, GlobalOptions, OptionSpec } from './command.ts'
import { commandTable, globalOptions } from './command-table.ts'
import { interruptSignal } from './interrupt.ts'
import { processOutput } from './output/output.ts'
import type { Output } from './output/output.ts'
import { version } from './version.ts'

const exitUsage = 2

export async function main(argv: readonly string[]): Promise<number> {
  let code = 0
  const program = buildProgram((result) => {
    code = result
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    if (argv.includes('--json')) {
      const message = error.message.replace(/^error: /, '')
      const answer = {
        error: { code: 'USAGE', message, hint: 'cellmill --help', docs: 'cellmill explain USAGE', details: {} },
      }
      process.stdout.write(`${JSON.stringify(answer)}\n`)
    }
    return exitUsage
  }
}

function buildProgram(onExit: (code: number) => void): Command {
  const program = new Command('cellmill')
  program
    .description('takes a notebook to production: audit, graduate, prove, run')
    .version(version, '--version')
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureHelp({ sortSubcommands: false })
    .addHelpText(
      'after',
      '\nFirst steps:  cellmill init shop   cellmill plan   cellmill run\nHelp on one:  cellmill run --help',
    )
  for (const spec of commandTable) addCommand(program, spec, onExit)
  return program
}

function addCommand(program: Command, spec: CommandSpec, onExit: (code: number) => void): void {
  const command = program.command(spec.name).summary(spec.summary).description(spec.description).exitOverride()
  for (const argument of spec.arguments) command.argument(argument.name, argument.description)
  for (const option of [...spec.options, ...globalOptions]) addOption(command, option)
  command.addHelpText('after', `\nExamples:\n${spec.examples.map((example) => `  ${example}`).join('\n')}`)
  command.action(async (...values: unknown[]) => {
    // Commander passes the arguments, then the options, then the command.
    const given = values.slice(0, -2) as (string | string[] | undefined)[]
    onExit(await runCommand(spec, given, values.at(-2) as Record<string, unknown>))
  })
}

function addOption(command: Command, option: OptionSpec): void {
  if (option.flags.startsWith('-v,'))
    command.option(option.flags, option.description, (_: string, count: number) => count + 1, 0)
  else if (option.repeatable === true) {
    command.option(
      option.flags,
      option.description,
      (value: string, before: string[]) => [...before, value],
      [] as string[],
    )
  } else command.option(option.flags, option.description)
}

async function runCommand(
  spec: CommandSpec,
  given: readonly (string | readonly string[] | undefined)[],
  options: Record<string, unknown>,
): Promise<number> {
  const global = globalOf(options)
  const output = processOutput(global)
  const interrupt = interruptSignal(output)
  const opened: { close(): Promise<void> }[] = []
  const context: CommandContext = {
    arguments: given,
    options,
    global,
    output,
    cwd: process.cwd(),
    signal: interrupt.signal,
    workspace: async () => {
      const { openWorkspace } = await import('@cellmill/core/app.ts')
      const workspace = openWorkspace({ folder: global.project ?? process.cwd(), variables: process.env })
      opened.push(workspace)
      return workspace
    },
  }
  try {
    const module = await spec.load()
    return await module.handle(context)
  } catch (error) {
    return await explainFailure(output, error, interrupt.signal)
  } finally {
    for (const resource of opened) await resource.close()
    interrupt.close()
  }
}

async function explainFailure(output: Output, error: unknown, signal: AbortSignal): Promise<number> {
  const [{ showError }, { CellmillError }] = await Promise.all([
    import('./output/show-errors.ts'),
    import('@cellmill/core/errors.ts'),
  ])
  if (!signal.aborted) return showError(output, error)
  return showError(
    output,
    new CellmillError('CANCELLED', 'interrupted; nothing half-done was kept', {
      hint: 'run the same command again to go on',
    }),
  )
}

function globalOf(options: Record<string, unknown>): GlobalOptions {
  const text = (name: string): string | null => (typeof options[name] === 'string' ? options[name] : null)
  return {
    json: options['json'] === true,
    project: text('project'),
    env: text('env'),
    verbose: typeof options['verbose'] === 'number' ? options['verbose'] : 0,
    quiet: options['quiet'] === true,
  }
}

/** A closed pipe (`| head`) is no fault. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await main(process.argv.slice(2))
