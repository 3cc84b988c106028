/**
 * One notebook, given as cells, through `cellmill graduate`, and an independent opinion on what came of it: the notebook
 * is executed twice in plain IPython and compared, without our encoder, with what `cellmill run` stored. A proven
 * pipeline whose stored value is another one than the notebook's is a `difference`.
 */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { findPython } from '../../packages/core/src/packages/find-python.ts'
import { syncPackages } from '../../packages/core/src/packages/sync-packages.ts'
import { TestProject } from '../support/project.ts'

const compareScript = path.join(import.meta.dirname, 'compare_values.py')
const config = `import { defineConfig } from '@cellmill/sdk'
export default defineConfig({ name: 'trap', environments: { prod: {}, dev: {} } })
`

export interface GraduateCase {
  readonly name: string
  /** Markdown cells start with `md:`. */
  readonly cells: readonly string[]
  /** Every outcome that is right: verdicts, or codes of a refusal. */
  readonly expect: readonly string[]
  /** The notebook as it stands, in place of one made from the cells. */
  readonly text?: string
  readonly files?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  /** Execution counts of all cells, Markdown included; without it the notebook was never run. */
  readonly counts?: readonly (number | null)[]
  readonly tags?: Readonly<Record<number, readonly string[]>>
  /** Names of the files of its SQL assets, where that matters. */
  readonly sql?: readonly string[]
  /** Folder of the notebook below the project. */
  readonly folder?: string
}

export interface CaseOutcome {
  readonly verdict: string
  readonly codes: readonly string[]
  readonly reasons: readonly string[]
  /** Variables whose stored values were compared with the notebook's. */
  readonly compared: readonly string[]
  readonly differences: readonly string[]
  /** What went wrong beside the answer: a crash of the CLI, a failed run. */
  readonly crash: string | null
  readonly text: string
  readonly steps: number
  /** Files of SQL assets, without their folder. */
  readonly sql?: readonly string[]
  /** Of graduation alone, in which the comparison has no part. */
  readonly ms: number
}

interface GraduateAnswer {
  readonly verdict: string
  readonly cut: { readonly steps: number } | null
  readonly reasons: readonly { readonly code: string; readonly cell: number | null; readonly message: string }[]
  readonly assets: readonly {
    readonly name: string
    readonly kind: string
    readonly cells: readonly number[]
    readonly variables: Readonly<Record<string, string>>
  }[]
  readonly files: readonly string[]
}

export async function graduateCase(one: GraduateCase): Promise<CaseOutcome> {
  const startedAt = performance.now()
  const notebook = path.posix.join(one.folder ?? '', 'trap.ipynb')
  const project = new TestProject({
    'cellmill.config.ts': config,
    ...one.files,
    [notebook]: one.text ?? notebookText(one),
  })
  try {
    project.usePackages()
    const done = await project.cli('graduate', notebook, '--json', ...(one.args ?? []))
    const ms = performance.now() - startedAt
    const answer = parsed(done.stdout)
    const nothing = { codes: [], reasons: [], compared: [], differences: [], text: '', steps: 0 }
    if (answer === null || !('verdict' in answer)) {
      const crash = `graduate gave no answer: ${done.stdout.slice(0, 2000)}${done.stderr.slice(-2000)}`
      return { ...nothing, verdict: 'crash', crash, ms }
    }
    const text = answer.files
      .filter((file) => /\.(py|sql)$/.test(file))
      .map((file) => project.read(file))
      .join('\n')
    const common = {
      verdict: answer.verdict,
      codes: [...new Set(answer.reasons.map(({ code }) => code))],
      reasons: answer.reasons.map(({ code, cell, message }) => `${code} cell ${cell}: ${message}`),
      text,
      steps: answer.cut?.steps ?? 0,
      sql: answer.files.filter((file) => file.endsWith('.sql')).map((file) => path.posix.basename(file)),
    }
    const isProven = answer.verdict.startsWith('proven')
    const checked = isProven
      ? await compareWithNotebook(project, one, answer)
      : { compared: [], differences: [], crash: null }
    return { ...common, ...checked, ms }
  } finally {
    if (process.env['CELLMILL_KEEP'] === undefined) project.remove()
  }
}

/** `proven`, `refused N32,N14`, `not-proven`, ... : what is held against a case's `expect`. */
export function isExpected(one: GraduateCase, outcome: CaseOutcome): boolean {
  if (outcome.crash !== null || outcome.differences.length > 0) return false
  if (one.sql !== undefined && one.sql.join() !== outcome.sql?.toSorted().join()) return false
  if (outcome.verdict !== 'refused') return one.expect.includes(outcome.verdict)
  return outcome.codes.length > 0 && outcome.codes.some((code) => one.expect.includes(code))
}

function parsed(text: string): GraduateAnswer | null {
  try {
    return JSON.parse(text) as GraduateAnswer
  } catch {
    return null
  }
}

interface Stored {
  readonly asset: string
  readonly variables: readonly string[]
  readonly afterCell: number
  readonly codec: string
  readonly files: readonly string[]
}

async function compareWithNotebook(
  project: TestProject,
  one: GraduateCase,
  answer: GraduateAnswer,
): Promise<Pick<CaseOutcome, 'compared' | 'differences' | 'crash'>> {
  const run = await project.cli('run', '--json')
  const nothing = { compared: [], differences: [] }
  if (run.code !== 0)
    return { ...nothing, crash: `run exits ${run.code}: ${run.stdout.slice(-1500)}${run.stderr.slice(-1500)}` }
  const stored: Stored[] = []
  for (const asset of answer.assets) {
    if (asset.kind !== 'table' && asset.kind !== 'object') continue
    const found = await project.cli('path', asset.name, '--json')
    const where = JSON.parse(found.stdout) as {
      readonly folder: string
      readonly files: readonly string[]
      readonly codec: string
    }
    stored.push({
      asset: asset.name,
      variables: Object.keys(asset.variables),
      afterCell: asset.cells.at(-1) ?? -1,
      codec: where.codec,
      files: where.files.map((file) => path.join(where.folder, file)),
    })
  }
  const request = {
    cells: one.cells.map((source) => (source.startsWith('md:') ? null : source)),
    order: executionOrder(one),
    files: one.files ?? {},
    folder: one.folder ?? '',
    root: project.root,
    modules: answer.files.filter((file) => file.endsWith('.py')),
    stored,
  }
  const { python } = await syncPackages({ root: project.root, interpreter: await findPython() })
  const compared = spawnSync(python, ['-I', compareScript], {
    input: JSON.stringify(request),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (compared.status !== 0) return { ...nothing, crash: `the comparison failed: ${compared.stderr.slice(-2000)}` }
  return { ...(JSON.parse(compared.stdout) as Pick<CaseOutcome, 'compared' | 'differences'>), crash: null }
}

/** As the case says by `--order recorded`, else the document's. */
function executionOrder(one: GraduateCase): readonly number[] {
  const cells = one.cells.flatMap((source, index) => (source.startsWith('md:') ? [] : [index]))
  if (one.args?.includes('recorded') !== true || one.counts === undefined) return cells
  const { counts } = one
  return cells.toSorted((a, b) => (counts[a] ?? 1e9) - (counts[b] ?? 1e9))
}

function notebookText(one: GraduateCase): string {
  const cells = one.cells.map((source, index) => {
    const metadata = { tags: one.tags?.[index] ?? [] }
    if (source.startsWith('md:')) return { cell_type: 'markdown', id: `c${index}`, metadata, source: source.slice(3) }
    return {
      cell_type: 'code',
      id: `c${index}`,
      metadata,
      source,
      outputs: [],
      execution_count: one.counts?.[index] ?? null,
    }
  })
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { name: 'python3', language: 'python', display_name: 'Python 3' },
      language_info: { name: 'python', version: '3.11.0' },
    },
    cells,
  })
}
