/** How long a plan takes as a project grows: nothing changed, and one helper changed that 100 assets come to. */
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { TestProject } from '../../test/support/project.ts'
import { cliCommand, makeProject } from '../bench-project.ts'
import { measurePairs, peakOfNode, timeCommand, timeOf, toTiming } from '../measure.ts'
import type { BenchCase, Timing } from '../section.ts'
import { duration } from '../section.ts'
import { checkPlan, enterResults } from '../workloads/enter-results.ts'
import { helperFile, helperText, readersOfHelper, wideFiles } from '../workloads/wide-project.ts'

const sizes = [
  { assets: 100, times: 9, target: '' },
  { assets: 1000, times: 7, target: '+0.4 s' },
  { assets: 10_000, times: 5, target: '+1.0 s, 300 MB' },
]

/** Thousands of commits, each forced to disk, would take most of the time and are not what is measured. */
async function makeInMemory(files: Readonly<Record<string, string>>): Promise<TestProject> {
  const before = process.env['TMPDIR']
  if (existsSync('/dev/shm')) process.env['TMPDIR'] = '/dev/shm'
  try {
    return await makeProject(files)
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
}

export const planTimes: BenchCase = {
  name: 'plan',
  title: 'Plans of large projects',
  async run() {
    const timings: Timing[] = []
    const notes: string[] = []
    for (const { assets, times, target } of sizes) {
      const project = await makeInMemory(wideFiles(assets))
      try {
        const plan = cliCommand(project.root, 'plan', '--quiet')
        const first = await timeOf(() => timeCommand(plan))
        notes.push(`${assets.toLocaleString('en')} assets, first plan ever (no cache): ${duration(first)}.`)
        await enterResults(project.root)
        await checkPlan(project.root, 0)
        const floor = () => timeCommand(cliCommand(project.root, '--help'))
        const what = `\`cellmill plan\`, ${assets.toLocaleString('en')} assets`
        const nothing = await measurePairs(times, { floor, ours: () => timeCommand(plan) })
        timings.push({
          ...toTiming(`${what}, nothing changed`, '`cellmill --help`', target, nothing),
          memoryBytes: await peakOfNode(plan),
        })
        let offset = 1
        const edit = () => writeFileSync(path.join(project.root, helperFile), helperText(0, ++offset))
        edit()
        await checkPlan(project.root, readersOfHelper)
        const helper = await measurePairs(times, {
          floor,
          ours: () => {
            edit()
            return timeCommand(plan)
          },
        })
        edit()
        timings.push({
          ...toTiming(`${what}, a helper changed`, '`cellmill --help`', target, helper),
          memoryBytes: await peakOfNode(plan),
        })
      } finally {
        project.remove()
      }
    }
    return { timings, notes }
  },
}
