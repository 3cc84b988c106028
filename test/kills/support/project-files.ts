/**
 * A project whose steps take parts of a second: Python on the standard library alone, and SQL. Everything depends on the
 * parameter `seed`, so that each seed is a new pipeline, and all that one release publishes must be of one seed.
 */
export const assetNames = ['joined', 'lengths', 'rows_of_seed', 'squares', 'summed', 'text', 'total'] as const

export const projectFiles: Readonly<Record<string, string>> = {
  'cellmill.config.ts': `import { defineConfig, file } from '@cellmill/sdk'
export default defineConfig({
  name: 'kills',
  sources: { numbers: file('data/numbers.csv') },
  parameters: { seed: 0 },
  environments: { prod: {}, dev: {}, other: {} },
})
`,
  'data/numbers.csv': `id,n\n${Array.from({ length: 2000 }, (_, i) => `${i},${(i * 7919) % 1000}\n`).join('')}`,
  'assets/python.py': `"""Steps on the standard library."""
import csv

from cellmill import asset, param

SEED = param(0)


@asset
def squares(numbers: str) -> list:
    with open(numbers, newline="") as stream:
        return [(int(row["n"]) + SEED) ** 2 for row in csv.DictReader(stream)]


@asset
def text(numbers: str) -> str:
    with open(numbers) as stream:
        return f"{SEED}:" + stream.read() * 20


@asset
def lengths(text: str, squares: list) -> dict:
    return {"text": len(text), "squares": len(squares), "seed": SEED}


@asset
def total(squares: list) -> int:
    return sum(squares) + SEED
`,
  'assets/rows_of_seed.sql': 'SELECT id, n + $seed AS n, $seed AS seed FROM numbers\n',
  'assets/summed.sql': `-- @check not_null(total)
SELECT seed, sum(n) AS total, count(*) AS rows FROM rows_of_seed GROUP BY seed
`,
  'assets/joined.sql': 'SELECT a.id, a.n, b.total FROM rows_of_seed a JOIN summed b ON a.seed = b.seed ORDER BY a.id\n',
}
