/**
 * Writes docs/reference from the code: commands, codes, the schemas of answers, the configuration. `--check` writes
 * nothing and exits 1 when a file is stale. The same code gives the same bytes.
 */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { codesPage } from './reference/codes.ts'
import { commandsPage } from './reference/commands.ts'
import { configPage } from './reference/config.ts'
import { schemaFiles } from './reference/schemas.ts'

const folder = path.resolve(import.meta.dirname, '..', 'docs', 'reference')
const isCheck = process.argv.includes('--check')

const wanted: ReadonlyMap<string, string> = new Map([
  ['commands.md', commandsPage()],
  ['codes.md', codesPage()],
  ['config.md', configPage()],
  ...schemaFiles(),
])
const present = globSync('**/*.{md,json}', { cwd: folder }).map((file) => file.split(path.sep).join('/'))
const stale = [...wanted].filter(([name, text]) => textOf(name) !== text).map(([name]) => name)
const left = present.filter((name) => !wanted.has(name))

if (!isCheck) {
  for (const name of stale) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), wanted.get(name)!)
  }
  for (const name of left) rmSync(path.join(folder, name))
}
const changed = [...stale, ...left].sort()
for (const name of changed) console.log(`${isCheck ? 'stale' : 'wrote'} docs/reference/${name}`)
if (changed.length === 0) console.log(`reference: ok, ${wanted.size} files`)
else if (isCheck) console.log('reference: run  node scripts/reference.ts')
process.exitCode = isCheck && changed.length > 0 ? 1 : 0

function textOf(name: string): string | null {
  const file = path.join(folder, name)
  return existsSync(file) ? readFileSync(file, 'utf8') : null
}
