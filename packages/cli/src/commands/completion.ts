/** `cellmill completion SHELL`: a script that asks `cellmill completion words` for live names. */
import { CellmillError } from '@cellmill/core/errors.ts'
import { commandTable, globalOptions } from '../command-table.ts'
import { textArgument } from '../command.ts'
import type { CommandContext } from '../command.ts'

const liveCommands = ['show', 'export', 'path', 'debug', 'logs', 'plan', 'run']

export async function handle(context: CommandContext): Promise<number> {
  const shell = textArgument(context, 0)
  if (shell === 'words') {
    const { readStatus } = await import('@cellmill/core/operations/read-status.ts')
    const status = await readStatus(await context.workspace(), context.global.env)
    context.output.writeData(`${[...status.assets.map(({ asset }) => asset), '@last'].join('\n')}\n`)
    return 0
  }
  const script = scriptFor(shell)
  if (script === null)
    throw new CellmillError('USAGE', `there is no completion for '${shell}'`, {
      hint: 'cellmill completion bash, zsh or fish',
    })
  context.output.writeData(script)
  return 0
}

function scriptFor(shell: string): string | null {
  const names = commandTable.map(({ name }) => name).join(' ')
  const flags = commandTable.map(
    ({ name, options }) => `${name}) flags="${longFlags([...options, ...globalOptions])}";;`,
  )
  if (shell === 'bash') return bash(names, flags)
  if (shell === 'zsh') return `autoload -U +X bashcompinit && bashcompinit\n${bash(names, flags)}`
  return shell === 'fish' ? fish() : null
}

function longFlags(options: readonly { readonly flags: string }[]): string {
  return options.map(({ flags }) => /--[\w-]+/.exec(flags)?.[0] ?? '').join(' ')
}

function bash(names: string, flags: readonly string[]): string {
  return `_cellmill() {
  local word="\${COMP_WORDS[COMP_CWORD]}" flags=""
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${names}" -- "$word")); return; fi
  case "\${COMP_WORDS[1]}" in
    ${flags.join('\n    ')}
  esac
  if [[ "$word" == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$word")); return; fi
  case "\${COMP_WORDS[1]}" in
    ${liveCommands.join('|')}) COMPREPLY=($(compgen -W "$(cellmill completion words 2>/dev/null)" -- "$word"));;
    *) COMPREPLY=($(compgen -f -- "$word"));;
  esac
}
complete -F _cellmill cellmill
`
}

function fish(): string {
  const commands = commandTable.map(
    ({ name, summary }) =>
      `complete -c cellmill -n __fish_use_subcommand -a ${name} -d '${summary.replaceAll("'", '’')}'`,
  )
  return `${commands.join('\n')}
complete -c cellmill -n '__fish_seen_subcommand_from ${liveCommands.join(' ')}' -a '(cellmill completion words 2>/dev/null)'
`
}
