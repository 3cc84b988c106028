/** Moving pointers: a rollback with little and with much data behind it, over the start of the command line. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { TestProject } from '../../test/support/project.ts'
import { cliCommand, makeProject } from '../bench-project.ts'
import { measurePairs, runCommand, timeCommand, toTiming } from '../measure.ts'
import type { BenchCase, Timing } from '../section.ts'

const times = 9
const sizes = [1, 500]

export const rollback: BenchCase = {
  name: 'rollback',
  title: 'Rolling back',
  async run() {
    const timings: Timing[] = []
    for (const megabytes of sizes) {
      const project = await makeProject({ 'assets/data.py': assetText(megabytes, 0) })
      try {
        timings.push(await measureRollback(project, megabytes))
      } finally {
        project.remove()
      }
    }
    return { timings, notes: ['Each measured rollback goes one release back, after a publish that went one forward.'] }
  },
}

async function measureRollback(project: TestProject, megabytes: number): Promise<Timing> {
  const cli = (...args: readonly string[]) => cliCommand(project.root, ...args)
  await runCommand(cli('run', '--env', 'prod'))
  writeFileSync(path.join(project.root, 'assets/data.py'), assetText(megabytes, 1))
  const pairs = await measurePairs(times, {
    floor: () => timeCommand(cli('--help')),
    before: async () => {
      // Builds once; later runs find the result and publish it anew, as a rollback holds the environment.
      await runCommand(cli('unhold', 'prod')).catch(() => '')
      await runCommand(cli('run', '--env', 'prod'))
    },
    ours: () => timeCommand(cli('rollback', 'prod')),
  })
  return toTiming(`\`cellmill rollback\`, ${megabytes} MB`, '`cellmill --help`', '+100 ms', pairs)
}

function assetText(megabytes: number, version: number): string {
  return `from cellmill import asset


@asset
def data() -> bytes:
    import random

    return random.Random(${version}).randbytes(1_000_000) * ${megabytes}
`
}
