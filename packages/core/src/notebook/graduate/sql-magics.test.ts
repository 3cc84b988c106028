import { describe, expect, it } from 'vitest'
import type { Magic, NotebookFacts } from '../ir.ts'
import { sqlMagicRefusals } from './sql-magics.ts'

function magic(kind: 'line' | 'cell', argument: string, body: string | null = null, name = 'sql'): Magic {
  const span = { line: 1, column: 0, endLine: 1, endColumn: 1 }
  return { kind, name, argument, body, assignedTo: null, reads: [], span }
}

function refusals(...magics: readonly Magic[]): readonly string[] {
  const cells = magics.map((one, index) => ({
    index,
    transformed: '',
    magics: [one],
    syntaxError: null,
    statements: [],
  }))
  const facts: NotebookFacts = { python: '3.11', ipython: null, cells }
  return sqlMagicRefusals(facts, new Set(['pandas'])).map(({ code, cell, message }) => `${code} ${cell} ${message}`)
}

describe('sqlMagicRefusals', () => {
  it('names the package that is not installed, and the Python to write for each query', () => {
    const found = refusals(
      magic('line', 'sql', null, 'load_ext'),
      magic('line', 'duckdb://'),
      magic('cell', 'totals <<', 'select c, sum(t)\nfrom orders\ngroup by c'),
    )
    expect(found.map((one) => one.slice(0, 5))).toEqual(['N17 0', 'N15 2'])
    expect(found[0]).toContain('jupysql')
    expect(found[1]).toContain('totals = duckdb.sql("""select c, sum(t) from orders group by c""").df()')
  })

  it('leaves SQL of another database to that database', () => {
    const found = refusals(magic('line', 'postgresql://me@host/db'), magic('cell', '', 'select 3/2'))
    expect(found.map((one) => one.slice(0, 5))).toEqual(['N24 0', 'N24 1'])
    expect(found[1]).toContain('postgresql')
  })

  it('takes the name that --save gives', () => {
    expect(refusals(magic('cell', '--save big duckdb://', 'select 1'))[0]).toContain('big = duckdb.sql("""select 1""")')
  })

  it('says nothing where no SQL is asked', () => {
    expect(
      refusals(magic('line', 'inline', null, 'matplotlib'), magic('line', 'autoreload', null, 'load_ext')),
    ).toEqual([])
  })
})
