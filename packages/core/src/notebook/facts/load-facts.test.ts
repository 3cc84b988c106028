/** Facts come from a real interpreter in this machine's sandbox, and hostile notebooks cannot hurt it. */
import { describe, expect, it } from 'vitest'
import { CellmillError } from '../../errors.ts'
import { findPython } from '../../packages/find-python.ts'
import { openSandbox } from '../../runtimes/sandbox/open-sandbox.ts'
import type { NotebookDocument } from '../document.ts'
import type { NotebookFacts } from '../ir.ts'
import { parseNotebook } from '../read/parse-notebook.ts'
import { loadFacts } from './load-facts.ts'

function documentOf(...sources: readonly string[]): NotebookDocument {
  const cells = sources.map((source) => ({
    cell_type: 'code',
    source,
    metadata: {},
    outputs: [],
    execution_count: null,
  }))
  return parseNotebook(JSON.stringify({ nbformat: 4, metadata: {}, cells }), { path: 'n.ipynb' })
}

async function load(
  document: NotebookDocument,
  options: { timeoutMs?: number; localModules?: readonly string[] } = {},
): Promise<NotebookFacts> {
  const { python, basePrefix } = await findPython()
  return loadFacts(document, {
    python: { python, prefix: basePrefix, basePrefix },
    sandbox: await openSandbox({ mode: 'auto', python }),
    ...options,
  })
}

describe('facts', () => {
  it('have the shape of the intermediate representation', async () => {
    const facts = await load(
      documentOf('%matplotlib inline\nimport pandas as pd', 'df = pd.read_csv("a.csv")\ndf["b"] = df.a * k\ndf.head()'),
    )
    expect(facts.python).toMatch(/^3\.\d+\.\d+$/)
    expect(facts.cells.map(({ index }) => index)).toEqual([0, 1])
    expect(facts.cells[0]?.magics[0]).toMatchObject({ kind: 'line', name: 'matplotlib', argument: 'inline' })
    const [read, set, head] = facts.cells[1]?.statements ?? []
    expect(read).toMatchObject({
      kind: 'assign',
      binds: ['df'],
      bindTypes: { df: ['pandas.DataFrame'] },
      tokens: [{ token: 'file:a.csv', mode: 'read' }],
    })
    expect(set?.mutations).toMatchObject([{ name: 'df', path: ['b'], how: 'subscript', certain: true }])
    expect(set?.reads.map(({ name }) => name)).toContain('k')
    expect(head).toMatchObject({ displays: true, mutations: [] })
  })

  it('count only code cells, by their index in the file', async () => {
    const text = JSON.stringify({
      nbformat: 4,
      cells: [
        { cell_type: 'markdown', source: 'x' },
        { cell_type: 'code', source: 'a = 1' },
      ],
    })
    expect((await load(parseNotebook(text, { path: 'n.ipynb' }))).cells.map(({ index }) => index)).toEqual([1])
  })

  it('know modules that lie beside the notebook', async () => {
    const facts = await load(documentOf('import helpers, json'), { localModules: ['helpers'] })
    expect(facts.cells[0]?.statements[0]?.imports.map(({ origin }) => origin)).toEqual(['local', 'stdlib'])
  })

  it.each([
    ['deep brackets', `x = ${'['.repeat(50_000)}`],
    ['a deep expression', `x = ${'1 + '.repeat(30_000)}1`],
    ['deep attributes', `x = a${'.b'.repeat(20_000)}`],
    ['deep calls', `x = a${'.b()'.repeat(5_000)}`],
    ['a null byte', 'x = "\0"'],
    ['a lone surrogate', 'x = "\ud800"'],
    ['very much data', `x = [${'1, '.repeat(300_000)}]`],
    ['a cell above the limit', `x = "${'a'.repeat(2_100_000)}"`],
    ['many names', Array.from({ length: 20_000 }, (_, n) => `v${n} = ${n}`).join('\n')],
    ['a huge integer', `x = 1${'0'.repeat(5000)}\ny = 0x${'f'.repeat(9000)}`],
    [
      'nested functions',
      Array.from({ length: 90 }, (_, n) => `${' '.repeat(n)}def f${n}(a${n}):`).join('\n') + `\n${' '.repeat(91)}pass`,
    ],
    ['f-strings', 'x = f"{f\'{y!r:>{w}}\'}"'],
  ])('survive %s', async (_what, source) => {
    const facts = await load(documentOf(source, 'b = 1'))
    expect(facts.cells[1]?.statements[0]?.binds).toEqual(['b'])
  })

  it('stop at the time limit with a typed error', async () => {
    const error = await load(documentOf('a = 1'), { timeoutMs: 1 }).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(CellmillError)
    expect((error as CellmillError).code).toBe('NOTEBOOK_UNREADABLE')
  })
})
