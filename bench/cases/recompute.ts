/**
 * What runs again after an edit, against what has to, and whether what is published then equals a rebuild of the same
 * files in an empty state. Counted from the run's events: attempts that were started.
 */
import { cpSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { TestProject } from '../../test/support/project.ts'
import { makeProject, publishedDigests } from '../bench-project.ts'
import type { BenchCase, Recompute } from '../section.ts'
import { chainFiles } from '../workloads/chain.ts'
import { edits } from '../workloads/edits.ts'
import type { Edit } from '../workloads/edits.ts'

export const recompute: BenchCase = {
  name: 'recompute',
  title: 'Steps re-run after an edit',
  async run() {
    const project = await makeProject(chainFiles({ withTable: true }), { withPackages: true })
    try {
      const cold = await project.run()
      if (cold.code !== 0) throw new Error(`the first run failed: ${cold.stderr}`)
      const recomputes: Recompute[] = []
      for (const edit of edits) recomputes.push(await recomputeAfter(project, edit))
      return { recomputes, notes: notesOf(recomputes) }
    } finally {
      project.remove()
    }
  },
}

async function recomputeAfter(project: TestProject, edit: Edit): Promise<Recompute> {
  project.replace(edit.file, edit.from, edit.to)
  const run = await project.run()
  const failed = run.code !== 0
  if (failed !== (edit.fails ?? false)) throw new Error(`after ${edit.what}: exit ${run.code}\n${run.stderr}`)
  const ran = run.events.filter(({ type }) => type === 'step-started').length
  const fresh = failed || (await equalsRebuild(project))
  process.stderr.write(`  ${edit.what}: ${ran} of ${edit.ideal}${fresh ? '' : ' STALE'}\n`)
  return { edit: edit.what, ideal: edit.ideal, ran, fresh }
}

async function equalsRebuild(project: TestProject): Promise<boolean> {
  const other = await makeProject({})
  try {
    rmSync(other.root, { recursive: true })
    const isState = (file: string): boolean => path.basename(file) === '.cellmill'
    cpSync(project.root, other.root, { recursive: true, filter: (file) => !isState(file) })
    const run = await other.run()
    if (run.code !== 0) throw new Error(`the rebuild failed: ${run.stderr}`)
    const published = publishedDigests(project.root, 'prod')
    const rebuilt = publishedDigests(other.root, 'prod')
    return published.size === rebuilt.size && [...published].every(([asset, digest]) => rebuilt.get(asset) === digest)
  } finally {
    other.remove()
  }
}

function notesOf(rows: readonly Recompute[]): readonly string[] {
  const ideal = rows.reduce((sum, row) => sum + row.ideal, 0)
  const ran = rows.reduce((sum, row) => sum + row.ran, 0)
  const stale = rows.filter(({ fresh }) => !fresh).length
  return [
    `${ran} steps re-run over an ideal of ${ideal}: **${(ran / ideal).toFixed(2)}** (target 1.0); stale answers: **${stale}**.`,
    'Ideal are the steps whose code closure changed or that read changed content. All edits are made in one project, in this order.',
  ]
}
