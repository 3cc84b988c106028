/**
 * `npm test`: every part in turn, each with its minutes beside its budget, then one line with the counts. Parts that this
 * machine cannot run say so and why. `--part NAME` runs one part. `--full` runs the large counts, and writes what came of
 * each part into docs/performance.md.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { currentCommit, readSection, writeSection } from './performance-page.ts'
import { testPython } from './test-python.ts'

interface Part {
  readonly name: string
  readonly budgetMinutes: number
  readonly run: 'vitest' | 'pytest' | 'demo'
  readonly files: readonly string[]
  /** Patterns that another part runs. */
  readonly exclude?: readonly string[]
}

const parts: readonly Part[] = [
  { name: 'unit', budgetMinutes: 4, run: 'vitest', files: ['packages/'], exclude: ['**/runtimes/sandbox/**'] },
  { name: 'python', budgetMinutes: 2, run: 'pytest', files: ['python/tests'] },
  { name: 'end to end', budgetMinutes: 8, run: 'vitest', files: ['test/e2e'] },
  { name: 'demo', budgetMinutes: 3, run: 'demo', files: [] },
  { name: 'notebooks', budgetMinutes: 9, run: 'vitest', files: ['test/notebooks'] },
  { name: 'kills', budgetMinutes: 4, run: 'vitest', files: ['test/kills'] },
  { name: 'sandbox', budgetMinutes: 4, run: 'vitest', files: ['packages/core/src/runtimes/sandbox'] },
]

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const root = path.resolve(import.meta.dirname, '..')
const args = process.argv.slice(2)
const isFull = args.includes('--full')
const only = args.includes('--part') ? args[args.indexOf('--part') + 1] : undefined

const python = await testPython()
const seed = process.env['CELLMILL_SEED'] ?? String(Math.floor(Math.random() * 2 ** 31))
const scratch = mkdtempSync(path.join(tmpdir(), 'cellmill-test-'))
const environment = {
  ...process.env,
  CELLMILL_TEST_PYTHON: python,
  CELLMILL_SEED: seed,
  ...(isFull ? { CELLMILL_FULL: '1' } : {}),
}
const total = { passed: 0, failed: 0, skipped: 0 }
const lines: string[] = []
for (const part of parts) {
  if (only !== undefined && part.name !== only) continue
  console.log(`\n== ${part.name}`)
  const startedAt = performance.now()
  const counts = runPart(part)
  total.passed += counts.passed
  total.failed += counts.failed
  total.skipped += counts.skipped
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1)
  lines.push(
    `${part.name.padEnd(12)} ${minutes.padStart(5)} min of ${part.budgetMinutes}  ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`,
  )
  if (isFull) recordFull(part, counts, minutes)
}
rmSync(scratch, { recursive: true, force: true })
console.log(`\n${lines.join('\n')}\n`)
const closing = `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`
console.log(closing)
const countsFile = process.env['CELLMILL_COUNTS']
if (countsFile !== undefined) writeFileSync(countsFile, `${closing}\n`)
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0

/** One row for each part, so that a part which was run again alone replaces its own. */
function recordFull(part: Part, counts: Counts, minutes: string): void {
  const title = 'Full tests'
  const head = [
    '| part | passed | failed | skipped | minutes | seed | date | commit |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ]
  const before = (readSection(title) ?? '')
    .split('\n')
    .filter((line) => parts.some(({ name }) => line.startsWith(`| ${name} |`)))
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ')
  const { passed, failed, skipped } = counts
  const row = `| ${part.name} | ${passed} | ${failed} | ${skipped} | ${minutes} | ${seed} | ${date} | ${currentCommit()} |`
  const rows = parts.flatMap(({ name }) =>
    name === part.name ? [row] : before.filter((line) => line.startsWith(`| ${name} |`)),
  )
  writeSection(
    title,
    ['`npm run test:full`, the last time that each part was run.', '', ...head, ...rows].join('\n'),
    [],
  )
}

function runPart(part: Part): Counts {
  if (part.run === 'vitest') return runVitest(part)
  if (part.run === 'pytest') return runPytest(part)
  const ended = spawnSync(process.execPath, ['scripts/demo.ts'], { cwd: root, stdio: 'inherit', env: environment })
  return ended.status === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 }
}

function runVitest(part: Part): Counts {
  const report = path.join(scratch, `${part.name.replaceAll(' ', '-')}.json`)
  const command = [
    'node_modules/vitest/vitest.mjs',
    'run',
    ...part.files,
    ...(part.exclude ?? []).flatMap((pattern) => ['--exclude', pattern]),
    '--reporter=default',
    '--reporter=json',
    `--outputFile=${report}`,
  ]
  const ended = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit', env: environment })
  try {
    const counts = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>
    const skipped = (counts['numPendingTests'] ?? 0) + (counts['numTodoTests'] ?? 0)
    const failed = Math.max(
      counts['numFailedTests'] ?? 0,
      counts['numFailedTestSuites'] ?? 0,
      ended.status === 0 ? 0 : 1,
    )
    return { passed: counts['numPassedTests'] ?? 0, failed, skipped }
  } catch {
    // No report: the runner itself broke, and said why above.
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

function runPytest(part: Part): Counts {
  const ended = spawnSync(python, ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', ...part.files], {
    cwd: root,
    encoding: 'utf8',
    env: { ...environment, PYTHONPATH: path.join(root, 'python'), PYTHONDONTWRITEBYTECODE: '1' },
  })
  process.stdout.write(`${ended.stdout}${ended.stderr}`)
  const count = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(ended.stdout.slice(-2000))?.[1] ?? 0)
  const failed = count('failed') + count('error')
  return { passed: count('passed'), failed: failed > 0 || ended.status === 0 ? failed : 1, skipped: count('skipped') }
}
