import { describe, expect, it } from 'vitest'
import { documentOf, factsOf } from '../graduate/testing/execute.ts'
import { helperConflicts, inlineCode, type Inlined } from './inline-code.ts'

const files: Readonly<Record<string, string>> = {
  'helper.py': 'K = 5\nif __name__ == "__main__":\n    ran = True\ndef double(x):\n    return x * 2\n',
  'args.py': 'import sys\nname = sys.argv[0]\n',
  'setup.ipynb': JSON.stringify({
    cells: [
      { cell_type: 'markdown', source: '# not code' },
      { cell_type: 'code', source: ['a = 1\n', 'a'] },
      { cell_type: 'code', source: 'b = 2' },
    ],
  }),
  'timed.ipynb': JSON.stringify({ cells: [{ cell_type: 'code', source: '%%bash\nls' }] }),
}

function inlined(cells: readonly string[], what: 'notebooks' | 'code' = 'code'): Inlined {
  const one = { cells }
  const [facts] = factsOf([one])
  return inlineCode({ document: documentOf(one), facts: facts!, what, read: (path) => files[path] ?? null })
}

function sources(cells: readonly string[], what: 'notebooks' | 'code' = 'code'): readonly string[] {
  return inlined(cells, what).document.cells.map(({ source }) => source)
}

function conflicts(cells: readonly string[]): readonly string[] {
  const { document, helpers } = inlined(cells)
  const [facts] = factsOf([{ cells: document.cells.map(({ source }) => source) }])
  return helperConflicts(facts!, helpers)
}

describe('inlineCode', () => {
  it('puts the code of a literal text in its place, and shows nothing that was not shown', () => {
    expect(sources(['exec("a = 1\\na")  # twice'])).toEqual(['a = 1\na\npass  # twice'])
    expect(sources(['b = 1 + eval("2 * 3")'])).toEqual(['b = 1 + (2 * 3)'])
  })

  it('leaves code alone that is put together, has names of its own, or shares its line', () => {
    const cells = ['n = 1\nexec(f"a{n} = 1")', 'exec("a = 1", {})', 'eval("n", {"n": 2})', 'x = 1; exec("y = 2")']
    expect(sources(cells)).toEqual(cells)
    const own = ['def exec(text):\n    return text\nexec("a = 1")']
    expect(sources(own)).toEqual(own)
  })

  it('runs a helper as the main program', () => {
    expect(sources(['%run helper.py'])[0]).toBe(
      'K = 5\nif True:\n    ran = True\ndef double(x):\n    return x * 2\npass',
    )
    expect(sources(['%run ./helper'])[0]).toContain('K = 5')
  })

  it('leaves a helper alone that sees its arguments, is not there, or is given some', () => {
    const cells = ['%run args.py', '%run missing.py', '%run helper.py 3', '%run ../helper.py', '%run -t helper.py']
    expect(sources(cells)).toEqual(cells)
  })

  it('joins the code cells of another notebook, before the run', () => {
    expect(sources(['%run setup.ipynb'])).toEqual(['%run setup.ipynb'])
    expect(sources(['%run setup.ipynb'], 'notebooks')).toEqual(['a = 1\na\n\nb = 2\npass'])
    expect(sources(['%run timed.ipynb'], 'notebooks')).toEqual(['%run timed.ipynb'])
  })

  it('knows that a notebook is the main program', () => {
    const cells = ['if __name__ == "__main__":\n    a = 1', 'text = "__name__ == \'__main__\'"', 'n = __name__']
    expect(sources(cells)).toEqual(['if True:\n    a = 1', cells[1], cells[2]])
  })

  it('tells the variables of a helper from those of the notebook', () => {
    expect(conflicts(['%run helper.py', 'a = double(K)'])).toEqual([])
    expect(conflicts(['%run helper.py', 'K = 7'])).toEqual(['K'])
    expect(conflicts(['%run -i helper.py', 'K = 7'])).toEqual([])
  })

  it('shows each change as a diff with what speaks for it', () => {
    const { repairs } = inlined(['exec("a = 1")'])
    expect(repairs).toMatchObject([{ code: 'N14', cell: 0, confirmedBy: 'the run of the original' }])
    expect(repairs[0]?.diff).toContain('+a = 1')
  })
})
