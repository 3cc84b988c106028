/** Checks every import of the sources against layers.json. Prints each that the allow-list forbids; exits 1 when there is one. */
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'

interface Layers {
  readonly packages: Readonly<Record<string, readonly string[]>>
  readonly core: Readonly<Record<string, readonly string[]>>
}

const root = path.resolve(import.meta.dirname, '..')
const layers = JSON.parse(readFileSync(path.join(root, 'layers.json'), 'utf8')) as Layers
const importPattern =
  /^\s*(?:import|export)\b[^'"]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|^\s*import\s+'([^']+)'/gm

const problems: string[] = []
for (const file of globSync('packages/*/src/**/*.ts', { cwd: root }).sort()) {
  if (file.endsWith('.test.ts') || /\bcontract\b/.test(path.basename(file))) continue
  for (const match of readFileSync(path.join(root, file), 'utf8').matchAll(importPattern)) {
    const problem = judge(file, match[1] ?? match[2] ?? match[3] ?? '')
    if (problem !== null) problems.push(`${file}: ${problem}`)
  }
}
for (const problem of problems) console.error(problem)
console.log(problems.length === 0 ? 'layers: ok' : `layers: ${problems.length} imports against layers.json`)
process.exitCode = problems.length === 0 ? 0 : 1

function judge(file: string, specifier: string): string | null {
  const from = placeOf(file)
  const target = specifier.startsWith('.')
    ? placeOf(path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier)))
    : workspacePlace(specifier)
  if (target === null || from === null) return null
  if (from.package !== target.package) {
    return (layers.packages[from.package] ?? []).includes(target.package)
      ? null
      : `${from.package} may not import ${target.package}`
  }
  if (from.package !== 'core' || from.layer === target.layer) return null
  const allowed = layers.core[from.layer]
  if (allowed === undefined) return `the folder ${from.layer} is not in layers.json`
  const isAllowed = allowed.some(
    (name) =>
      name === '*' ||
      name === target.layer ||
      (`${target.layer}/${target.rest}`.startsWith(name) && name.includes('/')),
  )
  return isAllowed ? null : `${from.layer} may not import ${target.layer} (${specifier})`
}

interface Position {
  readonly package: string
  readonly layer: string
  readonly rest: string
}

function placeOf(file: string): Position | null {
  const match = /^packages\/([^/]+)\/src\/(.+)$/.exec(file)
  if (match === null) return null
  const [layer, ...rest] = match[2]!.split('/')
  const isTop = rest.length === 0
  return {
    package: match[1]!,
    layer: isTop ? (layer === 'app.ts' ? 'app' : 'leaf') : layer!,
    rest: rest.join('/').replace(/\.ts$/, ''),
  }
}

function workspacePlace(specifier: string): Position | null {
  const match = /^@cellmill\/(sdk|core)(?:\/(.+))?$/.exec(specifier)
  return match === null ? null : { package: match[1]!, layer: '', rest: match[2] ?? '' }
}
