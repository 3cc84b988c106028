/** The guides do what they say: every command is run as a reader types it, in order, and its quoted output is there. */
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { consoleBlocks, isQuoted } from '../support/console-blocks.ts'

const repository = path.resolve(import.meta.dirname, '..', '..')
const cli = path.join(repository, 'packages/cli/bin/cellmill.js')

describe.each(['docs/guide/ten-minutes.md'])('%s', (guide) => {
  const home = mkdtempSync(path.join(tmpdir(), 'cellmill-guide-'))
  const bin = path.join(home, 'bin')
  let folder = path.join(home, 'work')
  mkdirSync(bin)
  mkdirSync(folder)
  writeFileSync(path.join(bin, 'cellmill'), `#!/bin/sh\nexec "${process.execPath}" "${cli}" "$@"\n`)
  chmodSync(path.join(bin, 'cellmill'), 0o755)
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  const { FORCE_COLOR: _, CELLMILL_ENV: __, ...variables } = process.env
  const env = { ...variables, PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}`, NO_COLOR: '1', CI: '1' }
  const commands = consoleBlocks(readFileSync(path.join(repository, guide), 'utf8'))
  let isBroken = false

  it('has commands', () => expect(commands.length).toBeGreaterThan(10))

  it.each(commands)('line $line: $command', { timeout: 600_000 }, ({ command, exitCode, quoted }) => {
    expect(isBroken, 'an earlier command did not do what it says').toBe(false)
    isBroken = true
    const change = /^cd (\S+)$/.exec(command)
    if (change === null) {
      const ended = spawnSync('sh', ['-c', command], { cwd: folder, env, encoding: 'utf8' })
      const output = `${ended.stdout}${ended.stderr}`
      expect(ended.status, output).toBe(exitCode)
      for (const line of quoted) expect(isQuoted(line, output), `'${line}' is not in:\n${output}`).toBe(true)
    } else {
      folder = path.join(folder, change[1]!)
      // The tests' lock, so that the packages of the day do not decide: without it, graduate makes one.
      copyFileSync(path.join(repository, 'test/packages/requirements.lock'), path.join(folder, 'requirements.lock'))
    }
    isBroken = false
  })
})
