/** A pipeline of SQL assets over a million rows, over the same statements written to Parquet by one bare DuckDB process. */
import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { cliCommand, makeProject, repository } from '../bench-project.ts'
import { measurePairs, runCommand, timeCommand, toTiming } from '../measure.ts'
import type { Command } from '../measure.ts'
import type { BenchCase } from '../section.ts'
import { queries, sourceQueries } from '../workloads/queries.ts'

const times = 5

export const sqlPipeline: BenchCase = {
  name: 'sql',
  title: 'SQL over a million rows',
  async run() {
    const sources = Object.keys(sourceQueries).map((name) => `${name}: file('data/${name}.parquet')`)
    const project = await makeProject({
      'cellmill.config.ts': `import { defineConfig, file } from '@cellmill/sdk'
export default defineConfig({ name: 'bench', environments: { prod: {} }, sources: { ${sources.join(', ')} } })
`,
      ...Object.fromEntries(Object.entries(queries).map(([name, sql]) => [`assets/${name}.sql`, `${sql}\n`])),
      'data/.keep': '',
    })
    try {
      await runCommand(duckDb(project.root, 'make.json', { ...sourceQueries }, 'data'))
      const floor = duckDb(project.root, 'floor.json', { ...queries }, 'floor')
      const run = cliCommand(project.root, 'run')
      const fresh = (): void => rmSync(path.join(project.root, '.cellmill'), { recursive: true, force: true })
      const pairs = await measurePairs(times, {
        floor: () => timeCommand(floor),
        ours: () => {
          fresh()
          return timeCommand(run)
        },
      })
      const what = `\`cellmill run\`, ${Object.keys(queries).length} SQL assets: captured, built, digested, profiled`
      return {
        timings: [toTiming(what, 'one DuckDB process, the same statements to Parquet', '1.2x', pairs)],
        notes: [],
      }
    } finally {
      project.remove()
    }
  },
}

/** One process that runs the queries in order, each written to Parquet and then read from it by the later ones. */
function duckDb(root: string, list: string, given: Readonly<Record<string, string>>, folder: string): Command {
  const file = path.join(root, list)
  writeFileSync(
    file,
    JSON.stringify({ queries: given, folder: path.join(root, folder), data: path.join(root, 'data') }),
  )
  return { command: process.execPath, args: [path.join(repository, 'bench/workloads/bare-duckdb.ts'), file], cwd: root }
}
