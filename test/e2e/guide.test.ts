/** The guide, as it stands: each command of its console blocks is run in order, and what it quotes must be shown. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { TestProject } from '../support/project.ts'

interface GuideCommand {
  readonly command: string
  readonly shows: readonly string[]
}

const guide = readFileSync(path.resolve(import.meta.dirname, '../../docs/guide/ten-minutes.md'), 'utf8')

function commandsOf(text: string): readonly GuideCommand[] {
  const commands: { command: string; shows: string[] }[] = []
  for (const block of text.matchAll(/```console\n([\s\S]*?)```/g)) {
    for (const line of block[1]!.split('\n').filter((part) => part !== '')) {
      if (line.startsWith('$ ')) commands.push({ command: line.slice(2), shows: [] })
      else commands.at(-1)!.shows.push(line)
    }
  }
  return commands
}

/** Words as a shell splits them; the guide uses double quotes only. */
function wordsOf(command: string): readonly string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!)
}

describe('a notebook to production in ten minutes', () => {
  const outer = new TestProject()
  const state: { project: TestProject } = { project: outer }
  afterAll(() => outer.remove())

  it.each(commandsOf(guide).map(({ command, shows }) => [command, shows] as const))(
    '%s',
    async (command, shows) => {
      const [program, ...args] = wordsOf(command)
      if (program === 'cd') {
        state.project = state.project.inside(args[0]!)
        return
      }
      expect(program).toBe('cellmill')
      const result = await state.project.cli(...args)
      expect(result.code, result.stderr).toBe(0)
      for (const text of shows) expect(result.stdout + result.stderr).toContain(text)
    },
    600_000,
  )
})
