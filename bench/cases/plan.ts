/** How long a plan takes as a project grows: nothing changed, and one helper changed that 100 assets come to. */
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { TestProject } from '../../test/support/project.ts'
import { cliCommand, makeProject } from '../bench-project.ts'
import { measurePairs, peakOfNode, runCommand, timeCommand, timeOf, toTiming } from '../measure.ts'
import type { BenchCase, Section, Timing } from '../section.ts'
import { duration } from '../section.ts'
import { checkPlan, enterResults } from '../workloads/enter-results.ts'
import { helperFile, helperText, readersOfHelper, wideFiles } from '../workloads/wide-project.ts'

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

interface Size {
  readonly assets: number
  readonly times: number
  readonly target: string
}

export const planTimes: BenchCase = {
  name: 'plan',
  title: 'Plans of large projects',
  run: () =>
    measureSizes([
      { assets: 100, times: 9, target: '' },
      { assets: 1000, times: 7, target: '+0.4 s' },
    ]),
}

/** Entering the results alone takes minutes. */
export const planLarge: BenchCase = {
  name: 'plan-10000',
  title: 'Plans of 10,000 assets',
  onlyNamed: true,
  run: () => measureSizes([{ assets: 10_000, times: 3, target: '+1.0 s, 300 MB' }]),
}

async function measureSizes(sizes: readonly Size[]): Promise<Section> {
  const timings: Timing[] = []
  const notes: string[] = []
  for (const size of sizes) {
    const project = await makeInMemory(wideFiles(size.assets))
    try {
      const first = await timeOf(() => runCommand(cliCommand(project.root, 'plan', '--quiet')))
      notes.push(`${size.assets.toLocaleString('en')} assets, first plan ever (no cache): ${duration(first)}.`)
      await enterResults(project.root)
      timings.push(...(await measureSize(project.root, size)))
    } finally {
      project.remove()
    }
  }
  return { timings, notes }
}

async function measureSize(root: string, { assets, times, target }: Size): Promise<readonly Timing[]> {
  const plan = cliCommand(root, 'plan', '--quiet')
  const what = `\`cellmill plan\`, ${assets.toLocaleString('en')} assets`
  const floor = () => timeCommand(cliCommand(root, '--help'))
  const measure = async (change: string, before: () => Promise<unknown>): Promise<Timing> => {
    const pairs = await measurePairs(times, { floor, before, ours: () => timeCommand(plan) })
    await before()
    return {
      ...toTiming(`${what}, ${change}`, '`cellmill --help`', target, pairs),
      memoryBytes: await peakOfNode(plan),
    }
  }
  await checkPlan(root, 0)
  const nothing = await measure('nothing changed', async () => {})
  let offset = 1
  const edit = async (): Promise<void> => writeFileSync(path.join(root, helperFile), helperText(0, ++offset))
  await edit()
  await checkPlan(root, readersOfHelper)
  return [nothing, await measure('a helper changed', edit)]
}
