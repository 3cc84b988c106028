/**
 * `npm run bench [case...]`: measures all cases or the named ones, and writes each one's section of docs/performance.md.
 * A section says when, where and under which load it was measured, so that named cases can be measured anew alone.
 */
import { availableParallelism, cpus, totalmem } from 'node:os'
import { frames } from './cases/frames.ts'
import { planLarge, planTimes } from './cases/plan.ts'
import { proof } from './cases/proof.ts'
import { recompute } from './cases/recompute.ts'
import { rollback } from './cases/rollback.ts'
import { sqlPipeline } from './cases/sql.ts'
import { startUp } from './cases/start.ts'
import { stepOverhead } from './cases/steps.ts'
import { currentCommit, writeSection } from '../scripts/performance-page.ts'
import { duration, sectionText } from './section.ts'
import type { BenchCase } from './section.ts'
import { load } from './measure.ts'

const cases: readonly BenchCase[] = [
  startUp,
  stepOverhead,
  planTimes,
  planLarge,
  recompute,
  sqlPipeline,
  frames,
  rollback,
  proof,
]

const named = process.argv.slice(2)
const unknown = named.filter((name) => !cases.some((known) => known.name === name))
if (unknown.length > 0) {
  console.error(`no case ${unknown.join(', ')}; there are ${cases.map(({ name }) => name).join(', ')}`)
  process.exitCode = 2
} else {
  const chosen = (measured: BenchCase): boolean =>
    named.length === 0 ? measured.onlyNamed !== true : named.includes(measured.name)
  for (const measured of cases.filter(chosen)) await measureCase(measured)
}

async function measureCase(measured: BenchCase): Promise<void> {
  const startedAt = performance.now()
  const loadBefore = load()
  console.error(`${measured.name} (load ${loadBefore})`)
  try {
    const text = sectionText(await measured.run())
    const took = duration(performance.now() - startedAt)
    const date = new Date().toISOString().slice(0, 16).replace('T', ' ')
    const when = `${date} UTC, commit ${currentCommit()}, load average ${loadBefore} before and ${load()} after, took ${took}`
    const titles = cases.map(({ title }) => title)
    writeSection(measured.title, `${text}\n\n${when}: \`npm run bench -- ${measured.name}\``, titles, introduction())
    console.log(`\n## ${measured.title}\n\n${text}\n`)
  } catch (error) {
    console.error(`${measured.name}: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}

function introduction(): string {
  const machine = `${availableParallelism()} cores (${cpus()[0]!.model.trim()}), ${Math.round(totalmem() / 1e9)} GB, Node ${process.versions.node}`
  return `# Performance

Written by \`npm run bench\`. Each figure stands beside a floor that was measured in turn with it, in the same minutes on the
same machine: the same work by hand, without Cellmill. Times are medians; ratio and difference are the medians over the
pairs; noise is half the range between the quartiles of the ratios. *CPU* is the processor time of floor and Cellmill with all
their processes, which a busy machine changes less. The machine: ${machine}; where the load average
of a section is above 2 it did other work meanwhile, and *CPU over* is the column to read.`
}
