import { describe, expect, it } from 'vitest'
import type { NotebookDocument } from '../document.ts'
import type { NotebookFacts } from '../ir.ts'
import { repairPaths } from './repair-paths.ts'

const source = 'df = read("/home/me/data/q3.csv")  # 𝒳'

function request(files: readonly string[], sources: Record<string, string> = {}, written: readonly string[] = []) {
  const span = { line: 1, column: 10, endLine: 1, endColumn: 32 }
  const statement = {
    tokens: [{ token: 'file:/home/me/data/q3.csv', mode: 'read', why: 'read', span }],
    definitions: [],
    literals: [{ value: '/home/me/data/q3.csv', span, type: 'str' }],
  }
  statement.tokens.push(...written.map((name) => ({ token: `file:${name}`, mode: 'write', why: 'write', span })))
  const document = { path: 'notebooks/n.ipynb', cells: [{ index: 0, type: 'code', source, outputs: [], tags: [] }] }
  return {
    document: document as unknown as NotebookDocument,
    facts: { cells: [{ index: 0, magics: [], statements: [statement] }] } as unknown as NotebookFacts,
    folder: 'notebooks',
    files,
    sources: new Map(Object.entries(sources)),
  }
}

describe('repairPaths', () => {
  it('leads an absolute path to the one file of that name', () => {
    const { document, repairs } = repairPaths(request(['data/q3.csv', 'data/q4.csv']))
    expect(document.cells[0]!.source).toBe('df = read("../data/q3.csv")  # 𝒳')
    expect(repairs[0]!.diff).toContain('-df = read("/home/me/data/q3.csv")')
  })

  it('prefers the candidate that shares more folders with the old path', () => {
    const { document } = repairPaths(request(['old/q3.csv', 'shop/data/q3.csv']))
    expect(document.cells[0]!.source).toContain('"../shop/data/q3.csv"')
  })

  it('asks instead of guessing between two candidates', () => {
    const { refusals, repairs } = repairPaths(request(['a/q3.csv', 'b/q3.csv']))
    expect(repairs).toEqual([])
    expect(refusals).toEqual([
      { code: 'N21', cell: 0, message: expect.stringContaining('--source q3=a/q3.csv') as string },
    ])
  })

  it('says what to type when the file is nowhere', () => {
    expect(repairPaths(request([])).refusals[0]!.message).toContain('--source q3=PATH')
  })

  it('leaves a path alone that the notebook itself writes', () => {
    const own = repairPaths(request(['a/q3.csv'], {}, ['/home/me/data/q3.csv']))
    expect([own.repairs, own.refusals]).toEqual([[], []])
    expect(repairPaths(request([], {}, ['?'])).refusals).toEqual([])
  })

  it('takes what --source names', () => {
    const { document, repairs } = repairPaths(request(['a/q3.csv', 'b/other.csv'], { q3: 'b/other.csv' }))
    expect(document.cells[0]!.source).toContain('"../b/other.csv"')
    expect(repairs[0]!.confirmedBy).toBe('--source')
  })
})
