/** docs/reference/commands.md, from the one table of commands. */
import type { CommandSpec, OptionSpec } from '../../packages/cli/src/command.ts'
import { commandTable, globalOptions } from '../../packages/cli/src/command-table.ts'
import { code, page, table } from './markdown.ts'

export function commandsPage(): string {
  return page(
    '# Commands',
    'Data goes to stdout, words for people to stderr. Exit codes: 0 done; 1 the work failed; 2 usage, configuration or ' +
      'internal; 130 interrupted; `plan --exit-code` gives 3 when something would change.',
    table(
      ['command', ''],
      commandTable.map(({ name, summary }) => [`[${code(name)}](#cellmill-${name})`, summary]),
    ),
    '## Every command takes',
    optionTable(globalOptions),
    ...commandTable.map(commandSection),
  )
}

function commandSection(spec: CommandSpec): string {
  const usage = ['cellmill', spec.name, ...spec.arguments.map(({ name }) => name), '[options]'].join(' ')
  const parts = [`## cellmill ${spec.name}`, spec.description, fenced('', [usage])]
  if (spec.arguments.length > 0) {
    parts.push(
      table(
        ['argument', ''],
        spec.arguments.map(({ name, description }) => [code(name), description]),
      ),
    )
  }
  if (spec.options.length > 0) parts.push(optionTable(spec.options))
  parts.push(fenced('sh', spec.examples))
  if (spec.json) parts.push(`\`--json\`: [schema](schemas/${spec.name}.json)`)
  return parts.join('\n\n')
}

function optionTable(options: readonly OptionSpec[]): string {
  return table(
    ['option', ''],
    options.map(({ flags, description, repeatable }) => [
      code(flags),
      repeatable === true ? `${description} (may be given several times)` : description,
    ]),
  )
}

function fenced(language: string, lines: readonly string[]): string {
  return ['```' + language, ...lines, '```'].join('\n')
}
