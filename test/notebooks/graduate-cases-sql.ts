/** Notebooks that ask DuckDB about their frames: what becomes a SQL asset must give the very frame, the rest is Python. */
import type { GraduateCase } from './graduate-case.ts'

const proven = ['proven']
const orders =
  'import duckdb\nimport pandas as pd\norders = pd.DataFrame({"id": [1, 2, 3, 4], "c": ["a", "b", "a", "c"], "n": [3, 2, 1, 4], "t": [1.5, 2.0, 3.25, 4.0]})'

export const sqlCases: readonly GraduateCase[] = [
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
    sql: ['by.sql'],
  },
  {
    name: 'sql: whole numbers added up are floats in pandas',
    cells: [
      orders,
      'by = duckdb.query("select c, sum(n) as total, sum(n) from orders group by c order by c").to_df()',
      'most = float(by.total.max())',
    ],
    expect: proven,
    sql: ['by.sql'],
  },
  {
    name: 'sql: two frames joined, one under a newer name',
    cells: [
      orders,
      'names = pd.DataFrame({"c": ["a", "b", "c"], "name": ["Ann", "Bob", "Cy"]})',
      'first = len(orders)',
      'orders = orders[orders.t > 1.5].reset_index(drop=True)',
      'kept = orders.id.sum()',
      'joined = duckdb.sql("select orders.id, names.name from orders join names on orders.c = names.c order by orders.id, names.name").df()',
      'last = joined.name.iloc[-1]',
    ],
    expect: proven,
    sql: ['joined.sql'],
  },
  {
    name: 'sql: rows in an order that the query does not give',
    cells: [
      orders,
      'picked = duckdb.sql("select c, id from orders where id > 1").df()',
      'first = int(picked.id.iloc[0])',
    ],
    expect: proven,
  },
  {
    name: 'sql: a frame with an index, all of it asked for',
    cells: [
      orders,
      'indexed = orders.set_index("id")',
      'all_of_it = duckdb.sql("select * from indexed order by all").df()',
      'width = all_of_it.shape[1]',
    ],
    expect: proven,
  },
  {
    name: 'sql: a frame with objects in it',
    cells: [
      orders,
      'mixed = pd.DataFrame({"id": [1, 2], "what": [{"a": 1}, {"a": 2}]})',
      'out = duckdb.sql("select id, what.a as a from mixed order by id, a").df()',
      'total = int(out.a.sum())',
    ],
    expect: proven,
  },
  {
    name: 'sql: dates, categories and missing values',
    cells: [
      orders,
      'odd = pd.DataFrame({"d": pd.to_datetime(["2024-01-01", None, "2024-03-01"]), "k": pd.Categorical(["x", "y", "x"]), "v": [1.0, None, 3.0], "s": ["p", None, "q"]})',
      'out = duckdb.sql("select d, k, v, s, d::date as day from odd order by all").df()',
      'rows = len(out)',
    ],
    expect: proven,
  },
  {
    name: 'sql: a query that is only shown',
    cells: [orders, 'duckdb.sql("select c, count(*) as n from orders group by c order by c").df()', 'n = len(orders)'],
    expect: proven,
    sql: [],
  },
  {
    name: 'sql: a text put together when it runs',
    cells: [
      orders,
      'limit = 2',
      'out = duckdb.sql(f"select id, t from orders where id > {limit} order by id, t").df()',
      'total = float(out.t.sum())',
    ],
    expect: proven,
    sql: [],
  },
  {
    name: 'sql: parameters given to execute',
    cells: [
      orders,
      'out = duckdb.execute("select id, t from orders where id > ? order by id, t", [2]).df()',
      'total = float(out.t.sum())',
    ],
    expect: proven,
    sql: [],
  },
  {
    name: 'sql: a connection in memory over frames',
    cells: [
      orders,
      'con = duckdb.connect()',
      'out = con.execute("select c, max(t) as most from orders group by c order by c").df()',
      'most = float(out.most.max())',
    ],
    expect: [...proven, 'not-proven', 'N32'],
  },
  {
    name: 'sql: a connection in memory that makes a table',
    cells: [
      orders,
      'con = duckdb.connect()\ncon.execute("create table kept as select * from orders where t > 1.5")',
      'out = con.sql("select c, t from kept order by c, t").df()',
      'n = len(out)',
    ],
    expect: [...proven, 'not-proven', 'N24', 'N32'],
    sql: [],
  },
  {
    name: 'sql: a table of the default connection read by name',
    cells: [
      orders,
      'duckdb.sql("create or replace table kept as select * from orders")',
      'out = duckdb.sql("select c, t from kept order by c, t").df()',
      'n = len(out)',
    ],
    expect: [...proven, 'not-proven', 'N24', 'N32', 'N48'],
  },
  {
    name: 'sql: a sample is another one each time',
    cells: [orders, 'out = duckdb.sql("select id, random() as r from orders order by id").df()', 'n = len(out)'],
    expect: ['proven-except-stochastic', 'not-proven'],
    sql: [],
  },
  {
    name: 'sql: magics of a package that is not installed',
    cells: [orders, '%load_ext sql', '%sql duckdb://', '%%sql\nselect count(*) from orders'],
    expect: ['N15', 'N17'],
  },
]
