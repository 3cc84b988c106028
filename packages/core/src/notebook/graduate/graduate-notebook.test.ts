/** What a graduation says and writes, on small notebooks whose facts are read for real. */
import { describe, expect, it } from 'vitest'
import { execute } from './testing/execute.ts'
import { firstArgumentSpan, startsInString, statementText } from './python-text.ts'
import { identifier, NameTable } from './names.ts'
import { magicRole } from './magics.ts'
import { joinPath } from './sources.ts'

const FLIGHTS = {
  cells: [
    'import pandas as pd\n%matplotlib inline',
    'md:## Flights',
    'flights = pd.read_csv("/home/me/flights.csv", parse_dates=["day"])\nflights["delay_h"] = flights.arr_delay / 60',
    'flights.head()',
    'THRESHOLD = 1.5\ndef late(df): return df[df.delay_h > THRESHOLD]\nby_carrier = late(flights).groupby("carrier").size().rename("late_flights").reset_index()',
    'by_carrier.plot.bar(x="carrier", y="late_flights")',
  ],
  files: { 'data/flights.csv': 'day,carrier,arr_delay\n2020-01-01,A,120\n2020-01-02,B,10\n2020-01-02,A,200\n' },
}

describe('graduateNotebook', () => {
  it('shows values under another name where the notebook calls something display', () => {
    const cells = ['x = [1, 2]', 'x', 'display = len(x)', 'y = display * 2']
    const [outcome] = execute([{ cells }])
    expect(outcome?.text).toContain('from IPython.display import display as show_value')
    expect(outcome?.text).toContain('show_value(x)')
  })

  it('hands no throw-away name from step to step', () => {
    const cells = ['_ = len("a")', 'md:## Loop', 'pairs = [(1, 2)]\nfor a, _ in pairs:\n    b = a + 1']
    const [outcome] = execute([{ cells }])
    expect(outcome?.state).toBe('same')
    expect(outcome?.text).not.toContain('_ =')
  })

  it('writes the module that a person would have written, and says what it repaired', () => {
    const [outcome] = execute([FLIGHTS])
    expect(outcome?.state).toBe('same')
    expect(outcome?.text).toMatchInlineSnapshot(`
      """"From analysis.ipynb."""

      import pandas as pd
      from IPython.display import display
      from cellmill import asset, param, report

      THRESHOLD = param(1.5)


      @asset
      def flights(flights_csv: str) -> pd.DataFrame:
          """Flights."""
          flights = pd.read_csv(flights_csv, parse_dates=["day"])
          flights["delay_h"] = flights.arr_delay / 60
          return flights


      @report
      def flights_report(flights: pd.DataFrame) -> None:
          display(flights.head())


      def late(df): return df[df.delay_h > THRESHOLD]


      @asset
      def by_carrier(flights: pd.DataFrame) -> pd.DataFrame:
          return late(flights).groupby("carrier").size().rename("late_flights").reset_index()


      @report
      def flights_report_2(by_carrier: pd.DataFrame) -> None:
          by_carrier.plot.bar(x="carrier", y="late_flights")
      "
    `)
    expect(outcome?.graduation?.repairs.map((one) => [one.code, one.cell, one.diff])).toEqual([
      ['N20', 2, '-/home/me/flights.csv\n+data/flights.csv\n'],
    ])
    expect(outcome?.graduation?.parameters).toEqual([{ name: 'THRESHOLD', type: 'float', default: '1.5', cell: 4 }])
    expect(outcome?.graduation?.sources.map((one) => [one.name, one.path])).toEqual([
      ['flights_csv', 'data/flights.csv'],
    ])
    expect(outcome?.graduation?.unheld).toContainEqual({ variable: 'pd', why: 'imported by the module' })
  })

  it('maps every line of the user to the cell that it came from', () => {
    const [outcome] = execute([FLIGHTS])
    const lines = outcome?.text.split('\n') ?? []
    for (const origin of outcome?.graduation?.lines ?? []) {
      const written = lines[origin.line - 1]?.trim() ?? ''
      const own = FLIGHTS.cells[origin.cell]?.split('\n')[origin.cellLine - 1] ?? ''
      expect(own).toContain(/\w+/gu[Symbol.match](written)?.at(-1))
    }
  })

  it('refuses two files of one name and takes the one that is given', () => {
    const files = {
      'a/flights.csv': FLIGHTS.files['data/flights.csv'],
      'b/flights.csv': FLIGHTS.files['data/flights.csv'],
    }
    const [both] = execute([{ ...FLIGHTS, files }], false)
    expect(both?.refusals.map((one) => one.code)).toEqual(['N21'])
    const [given] = execute([{ ...FLIGHTS, files, sources: { flights_csv: 'b/flights.csv' } }], false)
    expect(given?.graduation?.sources[0]?.path).toBe('b/flights.csv')
    expect(given?.graduation?.repairs[0]?.confirmedBy).toBe('--source')
  })

  it('hands the state of generators on instead of merging', () => {
    const [outcome] = execute([
      { cells: ['import numpy as np\nnp.random.seed(0)', 'a = np.random.rand(3)', 'md:## B', 'b = np.random.rand(3)'] },
    ])
    expect(outcome?.state).toBe('same')
    expect(outcome?.graduation?.steps.map((step) => [step.name, step.afterRandom])).toEqual([
      ['a', null],
      ['b', 'a'],
    ])
  })

  it('repairs an order in which a definition comes after its use', () => {
    const cells = ['y = x + 1', 'x = 1', 'z = y + x']
    const [asWritten] = execute([{ cells }], false)
    expect(asWritten?.refusals.map((one) => one.code)).toEqual(['N03'])
    const [repaired] = execute([{ cells, order: [1, 0, 2] }])
    expect(repaired?.state).toBe('same')
    expect(repaired?.graduation?.order).toBe('repaired')
  })
})

describe('moving text', () => {
  it('never indents a line that starts inside a string', () => {
    expect(startsInString(['x = """a', 'b # "', '"""', "y = 'q\\\\'", 'z'])).toEqual([false, true, true, false, false])
    const text = statementText('  x = """a\n  b"""  # c', { line: 1, column: 2, endLine: 2, endColumn: 6 }, [], 0)
    expect(text.lines.map((line) => line.text)).toEqual(['x = """a', '  b"""  # c'])
  })

  it('finds the first argument of a call', () => {
    const span = (line: string) => firstArgumentSpan(line, { line: 1, column: 0, endLine: 1, endColumn: line.length })
    const text = (line: string) => line.slice(span(line)?.column, span(line)?.endColumn)
    expect(text('pd.read_csv(os.path.join(a, "b,c"), sep=",")')).toBe('os.path.join(a, "b,c")')
    expect(span('pd.read_csv(filepath_or_buffer=p)')).toBeNull()
    expect(span('open(*args)')).toBeNull()
  })

  it('makes names that clash with nothing', () => {
    expect(['X_train', 'Späte Flüge!', '2020 sales', 'dfClean', '—'].map(identifier)).toEqual([
      'x_train',
      'spate_fluge',
      'n2020_sales',
      'df_clean',
      'value',
    ])
    const names = new NameTable(['total'])
    expect([names.take('sum'), names.take('total'), names.take('total', 'total'), names.take('class')]).toEqual([
      'sum_2',
      'total_2',
      'total',
      'class_2',
    ])
  })

  it('keeps paths inside the project', () => {
    expect(joinPath('notebooks/a.ipynb', '../data/./x.csv')).toBe('data/x.csv')
    expect(joinPath('a.ipynb', '../../etc/passwd')).toBeNull()
  })
})

describe('magicRole', () => {
  const magic = (kind: 'line' | 'cell' | 'shell', name: string, argument = '') =>
    magicRole({
      kind,
      name,
      argument,
      body: null,
      assignedTo: null,
      reads: [],
      span: { line: 1, column: 0, endLine: 1, endColumn: 0 },
    })
  it('turns installs into requirements and refuses what it does not know', () => {
    expect(magic('shell', 'pip', 'pip install -q pandas "numpy>=2"').installs).toEqual(['pandas', 'numpy>=2'])
    expect(magic('shell', 'pip', 'pip install git+https://x/y').refusal?.code).toBe('N16')
    expect(magic('shell', 'ls', 'ls > x').refusal?.code).toBe('N16')
    expect(magic('line', 'matplotlib', 'inline').action).toBe('drop')
    expect(magic('line', 'store', 'x').refusal?.code).toBe('N15')
  })
})
