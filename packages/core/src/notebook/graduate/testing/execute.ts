/** For tests: graduates notebooks given as cell texts, then executes both in Python and says whether they agree. */
import { spawnSync } from 'node:child_process'
import type { NotebookDocument } from '../../document.ts'
import type { Graduation, Refusal } from '../../graduation.ts'
import type { NotebookFacts } from '../../ir.ts'
import type { Observation } from '../../observation.ts'
import { graduateNotebook } from '../graduate-notebook.ts'

const PYTHON =
  process.env['CELLMILL_TEST_PYTHON'] ?? new URL('../../../../../../.venv/bin/python', import.meta.url).pathname
const SCRIPT = new URL('run_graduated.py', import.meta.url).pathname

/** Markdown cells start with `md:`. */
export interface Case {
  readonly cells: readonly string[]
  readonly files?: Readonly<Record<string, string>>
  readonly params?: readonly string[]
  readonly sources?: Readonly<Record<string, string>>
  readonly observation?: Observation
  readonly order?: readonly number[]
}

export interface Outcome {
  readonly state: 'same' | 'different' | 'refused' | 'notebook-fails' | 'pipeline-fails'
  readonly detail: unknown
  readonly refusals: readonly Refusal[]
  readonly graduation: Graduation | null
  readonly text: string
}

export function documentOf(one: Case): NotebookDocument {
  return {
    path: 'analysis.ipynb',
    digest: 'd',
    nbformat: 4,
    language: 'python',
    kernelName: 'python3',
    languageVersion: null,
    sizeBytes: 0,
    cells: one.cells.map((source, index) => ({
      index,
      id: null,
      tags: [],
      outputs: [],
      type: source.startsWith('md:') ? ('markdown' as const) : ('code' as const),
      source: source.startsWith('md:') ? source.slice(3) : source,
      executionCount: index + 1,
    })),
  }
}

function python(request: unknown): unknown {
  const done = spawnSync(PYTHON, [SCRIPT], { input: JSON.stringify(request), encoding: 'utf8', maxBuffer: 1 << 28 })
  if (done.status !== 0) throw new Error(done.stderr.slice(-3000))
  return JSON.parse(done.stdout)
}

export function factsOf(cases: readonly Case[]): NotebookFacts[] {
  return python({
    mode: 'facts',
    cases: cases.map((one) => ({
      cells: documentOf(one)
        .cells.filter((cell) => cell.type === 'code')
        .map(({ index, source }) => ({ index, source })),
    })),
  }) as NotebookFacts[]
}

/** What one run shows; paths of sources are read as the notebook says them. */
function observe(cases: readonly Case[], facts: readonly NotebookFacts[]): Observation[] {
  return python({
    mode: 'observe',
    cases: cases.map((one, at) => ({
      execution: one.order ?? (facts[at]?.cells ?? []).map((cell) => cell.index),
      texts: Object.fromEntries((facts[at]?.cells ?? []).map((cell) => [cell.index, repaired(cell.transformed, one)])),
      files: one.files ?? {},
      seed: 7,
    })),
  }) as Observation[]
}

/** Absolute paths of a test notebook, as its repaired copy has them. */
function repaired(text: string, one: Case): string {
  return text.replaceAll(/"\/home\/me\/([\w.]+)"/gu, (all, leaf: string) => {
    const path = Object.keys(one.files ?? {}).find((file) => file.endsWith(`/${leaf}`))
    return path === undefined ? all : `"${path}"`
  })
}

export function execute(cases: readonly Case[], watched = true): Outcome[] {
  const facts = factsOf(cases)
  const observations = watched ? observe(cases, facts) : []
  const results = cases.map((one, at) =>
    graduateNotebook({
      document: documentOf(one),
      facts: facts[at] as NotebookFacts,
      observation: one.observation ?? observations[at] ?? null,
      options: {
        into: '',
        params: one.params ?? [],
        sources: one.sources ?? {},
        name: 'analysis',
        existingNames: [],
        files: Object.keys(one.files ?? {}),
        ...(one.order === undefined ? {} : { order: one.order }),
      },
    }),
  )
  const runnable = results.flatMap((result, at) =>
    'graduation' in result ? [{ graduation: result.graduation, at }] : [],
  )
  const compared = python({
    mode: 'compare',
    cases: runnable.map(({ graduation, at }) => ({
      execution: graduation.execution,
      texts: Object.fromEntries(
        (facts[at]?.cells ?? []).map((cell) => [cell.index, repaired(cell.transformed, cases[at] as Case)]),
      ),
      modules: Object.fromEntries(graduation.files.map((file) => [file.path, file.text])),
      steps: graduation.steps,
      sources: Object.fromEntries(graduation.sources.map((source) => [source.name, source.path])),
      files: cases[at]?.files ?? {},
      seed: 7,
    })),
  }) as { state: Outcome['state']; detail: unknown }[]
  return results.map((result, at) => {
    if ('refusals' in result)
      return { state: 'refused', detail: null, refusals: result.refusals, graduation: null, text: '' }
    const found = compared[runnable.findIndex((one) => one.at === at)]
    return {
      state: found?.state ?? 'pipeline-fails',
      detail: found?.detail,
      refusals: [],
      graduation: result.graduation,
      text: result.graduation.files.map((file) => file.text).join('\n'),
    }
  })
}
