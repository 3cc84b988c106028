/** Notebooks that ask DuckDB about their frames: what becomes a SQL asset must give the very frame, the rest is Python. */
import type { GraduateCase } from './graduate-case.ts'

const proven = ['proven']
const orders =
  'import duckdb\nimport pandas as pd\norders = pd.DataFrame({"id": [1, 2, 3, 4], "c": ["a", "b", "a", "c"], "t": [1.5, 2.0, 3.25, 4.0]})'

export const graduateCasesSql: readonly GraduateCase[] = [
  {
    name: 'sql: an ordered aggregate over a frame, used by pandas',
    cells: [
      orders,
      'md:## Totals',
      'by = duckdb.sql("""\n    select c, sum(t) as total, count(*) as n\n    from orders\n    group by c\n    order by c\n""").df()',
      'by.head()',
      'top = by.sort_values("total").c.iloc[-1]',
    ],
    expect: proven,
  },
]
