/**
 * The packages of a notebook: what it imports and installs by magics is added to requirements.txt, locked and installed.
 * What the project already asks for stays as it is.
 */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { NotebookFacts } from '../../notebook/ir.ts'
import { findPython } from '../../packages/find-python.ts'
import { lockPackages } from '../../packages/lock-packages.ts'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import { syncPackages } from '../../packages/sync-packages.ts'
import { distributionOf, normalName, requirementNames } from './distributions.ts'

export interface PackagesRequest {
  readonly root: string
  readonly facts: NotebookFacts
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

export interface PreparedPackages {
  readonly environment: PythonEnvironment
  /** Names added to requirements.txt. */
  readonly added: readonly string[]
  /** Text of requirements.lock. */
  readonly lock: string
}

/** A frame crosses steps as Parquet, which needs one of these. */
const parquetPackages = ['pyarrow', 'polars']
const framePackages = ['pandas', 'polars', 'geopandas', 'duckdb']

export async function preparePackages(request: PackagesRequest): Promise<PreparedPackages> {
  const { root, signal } = request
  const file = path.join(root, 'requirements.txt')
  const lockFile = path.join(root, 'requirements.lock')
  const interpreter = await findPython()
  const before = existsSync(file) ? await readFile(file, 'utf8') : ''
  const locked = existsSync(lockFile) ? requirementNames(await readFile(lockFile, 'utf8')) : null
  const asked = requirementNames(before)
  const wanted = wantedPackages(request.facts)
  const added = wanted.filter((name) => !asked.has(normalName(name)) && locked?.has(normalName(name)) !== true)
  if (added.length > 0) {
    const separator = before === '' || before.endsWith('\n') ? '' : '\n'
    await writeFile(file, `${before}${separator}${added.join('\n')}\n`)
    request.say(`requirements.txt: added ${added.join(', ')}`)
  }
  const missing = [...requirementNames(existsSync(file) ? await readFile(file, 'utf8') : '')].some(
    (name) => locked?.has(name) !== true,
  )
  try {
    if (locked === null || missing) {
      request.say('resolving requirements.txt')
      await lockPackages({ root, interpreter, asOf: null, signal })
    }
    request.say('installing packages')
    const environment = await syncPackages({ root, interpreter, signal })
    return { environment, added, lock: await readFile(lockFile, 'utf8') }
  } catch (error) {
    if (added.length > 0) await writeFile(file, before)
    throw error
  }
}

function wantedPackages(facts: NotebookFacts): readonly string[] {
  const names = new Set<string>()
  for (const cell of facts.cells) {
    for (const statement of cell.statements) {
      for (const { module, origin, insideTry } of statement.imports) {
        if (origin === 'stdlib' || origin === 'local' || insideTry || module.startsWith('.')) continue
        names.add(origin ?? distributionOf(module))
      }
    }
    for (const magic of cell.magics)
      if (magic.name === 'pip') for (const name of pipNames(magic.argument)) names.add(name)
  }
  const all = [...names].map(normalName)
  if (shows(facts)) all.push('ipython')
  const hasFrames = framePackages.some((name) => all.includes(name))
  if (hasFrames && !parquetPackages.some((name) => all.includes(name))) all.push('pyarrow')
  return [...new Set(all)].sort()
}

/** What a notebook shows, a report shows through IPython's formatter. */
function shows(facts: NotebookFacts): boolean {
  return facts.cells.some((cell) =>
    cell.statements.some((statement) => statement.displays && statement.kind === 'expr'),
  )
}

/** `pip install -q pandas==2.1 "scikit-learn>=1"`: requirements as written; options and files are passed over. */
function pipNames(argument: string): readonly string[] {
  const words = argument.replace(/^pip\d?\s+/, '').split(/\s+/)
  if (words[0] !== 'install') return []
  return words
    .slice(1)
    .map((word) => word.replaceAll(/["']/g, ''))
    .filter((word) => /^[A-Za-z0-9][\w.[\],-]*(?:[<>=!~].*)?$/.test(word))
}
