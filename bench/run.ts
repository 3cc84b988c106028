/**
 * `npm run bench [case...]`: measures all cases or the named ones, and writes each one's section of docs/performance.md.
 * A section says when, where and under which load it was measured, so that named cases can be measured anew alone.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import path from 'node:path'
import { frames } from './cases/frames.ts'
import { planLarge, planTimes } from './cases/plan.ts'
import { proof } from './cases/proof.ts'
import { recompute } from './cases/recompute.ts'
import { rollback } from './cases/rollback.ts'
import { sqlPipeline } from './cases/sql.ts'
import { startUp } from './cases/start.ts'
import { stepOverhead } from './cases/steps.ts'
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
const page = path.resolve(import.meta.dirname, '../docs/performance.md')

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
    const when = `${date} UTC, commit ${commit()}, load average ${loadBefore} before and ${load()} after, took ${took}`
    writePage(measured, `${text}\n\n${when}: \`npm run bench -- ${measured.name}\``)
    console.log(`\n## ${measured.title}\n\n${text}\n`)
  } catch (error) {
    console.error(`${measured.name}: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}

/** Sections keep the order of the table of cases; those not measured now stay as they are. */
function writePage(measured: BenchCase, text: string): void {
  const sections = readSections()
  sections.set(measured.title, text)
  const body = cases.flatMap(({ title }) => (sections.has(title) ? [`## ${title}\n\n${sections.get(title)}`] : []))
  writeFileSync(page, `${introduction()}\n\n${body.join('\n\n')}\n`)
}

function readSections(): Map<string, string> {
  const text = existsSync(page) ? readFileSync(page, 'utf8') : ''
  return new Map(
    text
      .split(/^## /m)
      .slice(1)
      .map((part): [string, string] => {
        const end = part.indexOf('\n')
        return [part.slice(0, end), part.slice(end).trim()]
      }),
  )
}

function introduction(): string {
  const machine = `${availableParallelism()} cores (${cpus()[0]!.model.trim()}), ${Math.round(totalmem() / 1e9)} GB, Node ${process.versions.node}`
  return `# Performance

Written by \`npm run bench\`. Each figure stands beside a floor that was measured in turn with it, in the same minutes on the
same machine: the same work by hand, without Cellmill. Times are medians; ratio and difference are the medians over the
pairs; noise is half the range between the quartiles of the ratios. *CPU* is the processor time of floor and Cellmill with all
their processes, which a busy machine changes less. The machine (${machine})
did other work meanwhile, as the load average of each section says: there wall times are several times those of an idle
machine, and the targets that are differences are to be read from *CPU over*.`
}

function commit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' })
  const dirty = git('status', '--porcelain', '--untracked-files=no', 'packages', 'python').trim() !== ''
  return git('rev-parse', '--short', 'HEAD').trim() + (dirty ? ' with changes' : '')
}
