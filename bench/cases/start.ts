/** How long a person waits for nothing: help, and a run of 40 assets that are all there, over a bare Node. */
import { cliCommand, makeProject } from '../bench-project.ts'
import { measurePairs, runCommand, timeCommand, toTiming } from '../measure.ts'
import type { BenchCase } from '../section.ts'
import { chainFiles } from '../workloads/chain.ts'

const times = 15

export const startUp: BenchCase = {
  name: 'start',
  title: 'Start-up',
  async run() {
    const project = await makeProject(chainFiles())
    try {
      await runCommand(cliCommand(project.root, 'run'))
      const floor = () => timeCommand({ command: process.execPath, args: ['-e', '0'] })
      const help = await measurePairs(times, {
        floor,
        ours: () => timeCommand(cliCommand(project.root, '--help')),
      })
      const run = await measurePairs(times, { floor, ours: () => timeCommand(cliCommand(project.root, 'run')) })
      const plan = await measurePairs(times, { floor, ours: () => timeCommand(cliCommand(project.root, 'plan')) })
      return {
        timings: [
          toTiming('`cellmill --help`', '`node -e 0`', '+60 ms', help),
          toTiming('`cellmill run`, 40 assets, nothing to do', '`node -e 0`', '+200 ms', run),
          toTiming('`cellmill plan`, the same', '`node -e 0`', '', plan),
        ],
        notes: [],
      }
    } finally {
      project.remove()
    }
  },
}
