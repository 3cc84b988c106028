/** `npm run check`: format, lint, types, layers, dead code, docs. Every part runs; the exit code is 1 when one failed. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const parts: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: 'types', command: ['tsc', '-b'] },
  { name: 'format', command: ['oxfmt', '--check', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware'] },
  { name: 'layers', command: ['node', 'scripts/layers.ts'] },
  { name: 'dead code', command: ['knip'] },
  { name: 'reference', command: ['node', 'scripts/reference.ts', '--check'] },
]

const failed: string[] = []
for (const { name, command } of parts) {
  const startedAt = performance.now()
  const [program, ...args] = command
  const ended = spawnSync(program!, args, { cwd: root, encoding: 'utf8', env: withTools() })
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const ok = ended.status === 0
  if (!ok) {
    failed.push(name)
    process.stdout.write(`${ended.stdout}${ended.stderr}`)
  }
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name.padEnd(10)} ${seconds}s`)
}
console.log(failed.length === 0 ? 'check: ok' : `check: ${failed.join(', ')} failed`)
process.exitCode = failed.length === 0 ? 0 : 1

function withTools(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: `${path.join(root, 'node_modules', '.bin')}${path.delimiter}${process.env['PATH'] ?? ''}`,
  }
}
