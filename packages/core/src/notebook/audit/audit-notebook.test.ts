/** What the audit says from the file and from an observed run, without any interpreter. */
import { describe, expect, it } from 'vitest'
import type { Observation, ObservedCell } from '../observation.ts'
import { parseNotebook } from '../read/parse-notebook.ts'
import { auditNotebook } from './audit-notebook.ts'
import { cellDiff, lineDiff } from './cell-diff.ts'
import { defectCodes, defects } from './defects.ts'

const document = parseNotebook(
  JSON.stringify({
    nbformat: 4,
    cells: [
      {
        cell_type: 'code',
        source: 'a()',
        execution_count: 1,
        outputs: [{ output_type: 'execute_result', data: { 'text/plain': '41' } }],
      },
      { cell_type: 'code', source: 'b()', execution_count: 2, outputs: [] },
    ],
  }),
  { path: 'n.ipynb' },
)

function observed(index: number, rest: Partial<ObservedCell>): ObservedCell {
  return {
    index,
    ms: 1,
    state: 'ok',
    error: null,
    bound: [],
    mutated: [],
    deleted: [],
    values: [],
    outputs: [],
    events: [],
    changedTokens: [],
    openFigures: 0,
    ...rest,
  }
}

function observation(cells: readonly ObservedCell[]): Observation {
  return { order: [0, 1], cells, final: [], distributions: {}, python: '3.11.7', ms: 1 }
}

describe('audit', () => {
  it('lists every code as not checked that needs what is not there', () => {
    const result = auditNotebook({ document, facts: null, projectRoot: null, files: null })
    expect(result.notChecked).toContain('N02')
    expect(result.notChecked).toContain('N21')
    expect(result.notChecked).not.toContain('N01')
    expect(result.notChecked).not.toContain('N26')
  })

  it('finds stale outputs and slow cells in an observed run', () => {
    const run = observation([
      observed(0, { outputs: [{ kind: 'text', mime: 'text/plain', digest: '', preview: '42' }] }),
      observed(1, { ms: 60_000 }),
    ])
    const result = auditNotebook({ document, facts: null, projectRoot: null, files: null, observation: run })
    expect(result.findings.map(({ code, cell }) => `${code}@${cell}`)).toEqual(['N05@0', 'N45@1'])
    expect(result.runnable).toBe(true)
  })

  it('takes an output that is the same for fresh, addresses aside', () => {
    const run = observation([
      observed(0, { outputs: [{ kind: 'text', mime: 'text/plain', digest: '', preview: '41' }] }),
    ])
    expect(auditNotebook({ document, facts: null, projectRoot: null, files: null, observation: run }).findings).toEqual(
      [],
    )
  })

  it('knows that a cell failed in an observed run', () => {
    const run = observation([observed(0, { state: 'error', error: { name: 'NameError', value: '', line: 1 } })])
    expect(auditNotebook({ document, facts: null, projectRoot: null, files: null, observation: run }).runnable).toBe(
      false,
    )
  })
})

describe('the catalogue', () => {
  it('explains every code, in order and without a gap', () => {
    expect(defectCodes).toEqual(Array.from({ length: 59 }, (_, index) => `N${String(index + 1).padStart(2, '0')}`))
    for (const code of defectCodes) {
      expect(defects[code].explanation).toContain('Found by: ')
      expect(defects[code].explanation).toContain('What is done: ')
    }
  })
})

describe('a diff of a cell', () => {
  it('shows the changed lines with one line around', () => {
    expect(cellDiff(3, 'a\nb\nc\nd', 'a\nb\nx\ny\nd')).toBe(
      '--- cell 3\n+++ cell 3\n@@ -2,3 +2,4 @@\n b\n-c\n+x\n+y\n d\n',
    )
    expect(lineDiff(0, 'a', 1, 'b')).toBe('--- cell 0\n+++ cell 0\n@@ -1,1 +1,1 @@\n-a\n+b\n')
  })
})
