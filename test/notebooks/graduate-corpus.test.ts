/**
 * Real notebooks of Debian's documentation packages through `cellmill graduate`, a sample that nobody picked: never a
 * crash, never a stored value that is not the notebook's, and at least twenty of them graduate into several steps. All of
 * the sample under CELLMILL_FULL=1, where CELLMILL_CORPUS_RESULTS names a file for one line per notebook; else one that
 * the commit chooses.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { findPython } from '../../packages/core/src/packages/find-python.ts'
import { syncPackages } from '../../packages/core/src/packages/sync-packages.ts'
import { TestProject } from '../support/project.ts'
import { codeCells, notebookCells, notebookText, sampleNotebooks } from './collect-notebooks.ts'
import { graduateCase } from './graduate-case.ts'

const plainScript = path.join(import.meta.dirname, 'run_plainly.py')
const longestPlainMs = 20_000
const fewestGraduates = 20

const isFull = process.env['CELLMILL_FULL'] === '1'
const sample = sampleNotebooks()
const chosen = isFull ? sample : oneOf(sample)
const results: Result[] = []

interface Result {
  readonly notebook: string
  /** A verdict, or `does not run` for what plain IPython does not run here within twenty seconds. */
  readonly verdict: string
  readonly steps: number
  readonly plainSeconds: number
  readonly seconds: number
  readonly reasons: readonly string[]
}

interface Plain {
  readonly seconds: number
  readonly error: string | null
}

describe.skipIf(sample.length === 0)('real notebooks (packages python-sklearn-doc, python-statsmodels-doc)', () => {
  it.each(chosen.map((file) => [nameOf(file), file]))(
    '%s graduates or says why not',
    { timeout: 900_000 },
    async (name, file) => {
      const text = notebookText(file)
      const plain = await runPlainly(codeCells(text))
      if (plain.error !== null) {
        record({
          notebook: name,
          verdict: 'does not run',
          steps: 0,
          plainSeconds: plain.seconds,
          seconds: 0,
          reasons: [plain.error],
        })
        return
      }
      const cells = notebookCells(text).map(({ cell_type: kind, source }) =>
        kind === 'code' ? [source].flat().join('') : `md:${[source].flat().join('')}`,
      )
      const outcome = await graduateCase({ name, cells, text, expect: [] })
      const { verdict, steps, reasons } = outcome
      record({ notebook: name, verdict, steps, plainSeconds: plain.seconds, seconds: outcome.ms / 1000, reasons })
      expect(outcome.crash).toBe(null)
      expect(outcome.differences).toEqual([])
    },
  )

  it.skipIf(!isFull)(`at least ${fewestGraduates} of the sample graduate into several steps`, () => {
    const graduates = results.filter(({ verdict, steps }) => verdict.startsWith('proven') && steps > 1)
    expect(graduates.length, JSON.stringify(results, null, 1)).toBeGreaterThanOrEqual(fewestGraduates)
  })
})

function nameOf(file: string): string {
  return path.basename(file, '.gz')
}

/** Another one with each commit, the same one for everybody who has it. */
function oneOf(files: readonly string[]): readonly string[] {
  let commit = '0'
  try {
    commit = execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    // Not a clone: the first one.
  }
  return files.length === 0 ? [] : [files[Number.parseInt(commit.slice(0, 8), 16) % files.length]!]
}

function record(result: Result): void {
  results.push(result)
  const file = process.env['CELLMILL_CORPUS_RESULTS']
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(result)}\n`)
}

/** In the environment that the tests install, without any of our code. */
async function runPlainly(cells: readonly string[]): Promise<Plain> {
  const project = new TestProject()
  const folder = mkdtempSync(path.join(tmpdir(), 'cellmill-plain-'))
  try {
    project.usePackages()
    const { python } = await syncPackages({ root: project.root, interpreter: await findPython() })
    const done = spawnSync(python, ['-I', plainScript], {
      input: JSON.stringify(cells),
      encoding: 'utf8',
      cwd: folder,
      timeout: longestPlainMs,
      maxBuffer: 1 << 28,
    })
    if (done.status !== 0) return { seconds: longestPlainMs / 1000, error: 'it takes longer than 20 s' }
    return JSON.parse(done.stdout.split('\n').at(-1) ?? '') as Plain
  } finally {
    project.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}
