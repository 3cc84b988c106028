import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import { runCommand } from '../../packages/run-command.ts'
import { pythonPackageRoot } from '../../sibling.ts'
import { compiledPackage } from './compiled-package.ts'

const venv = fileURLToPath(new URL('../../../../../.venv', import.meta.url))
const environment: PythonEnvironment = {
  python: existsSync(venv) ? `${venv}/bin/python` : '/usr/bin/python3',
  prefix: venv,
  basePrefix: venv,
  sitePackages: '',
  version: '3.11.7',
  platform: 'linux',
  distributions: [],
  lockDigest: '',
}
const before = process.env['CELLMILL_CACHE']
let cache = ''
beforeAll(() => {
  cache = mkdtempSync(path.join(tmpdir(), 'cellmill-compiled-'))
  process.env['CELLMILL_CACHE'] = cache
})
afterAll(() => {
  if (before === undefined) delete process.env['CELLMILL_CACHE']
  else process.env['CELLMILL_CACHE'] = before
  rmSync(cache, { recursive: true, force: true })
})

it('makes one copy for processes that ask at once, whose bytecode names the files where they are', async () => {
  const [first, second] = await Promise.all([compiledPackage(environment), compiledPackage(environment)])
  expect(first).toBe(second)
  expect(first.startsWith(cache)).toBe(true)
  expect(readdirSync(path.join(cache, 'runner'))).toEqual([path.basename(first)])
  const code = `import sys; sys.path.insert(0, ${JSON.stringify(first)}); import cellmill._runner.run_step as m; print(m.__cached__, m.main.__code__.co_filename)`
  const { stdout } = await runCommand(environment.python, ['-I', '-S', '-c', code])
  const [cached, file] = stdout.trim().split(' ')
  expect(existsSync(cached!)).toBe(true)
  expect(file).toBe(path.join(first, 'cellmill/_runner/run_step.py'))
})

it('goes on with the package itself where the interpreter cannot compile it', async () => {
  expect(await compiledPackage({ ...environment, version: '3.11.0', python: '/bin/false' })).toBe(pythonPackageRoot())
})
