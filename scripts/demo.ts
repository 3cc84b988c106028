/**
 * `npm run demo`: a real, messy notebook becomes a proven pipeline, is run, edited, broken, mended and rolled back. Every
 * command is the built CLI's own, and each is checked: the demo exits with 1 when one does something else than it says.
 */
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { prepareProject } from './demo/prepare.ts'
import { edits, failure, firstRuns, graduation, releases } from './demo/story.ts'
import { DemoFailure, Terminal } from './demo/terminal.ts'

const startedAt = performance.now()
const folder = mkdtempSync(path.join(tmpdir(), 'cellmill-demo-'))
const terminal = new Terminal(folder)
try {
  terminal.note(`everything happens in ${folder}, which is kept`)
  await prepareProject(terminal)
  await graduation(terminal)
  await firstRuns(terminal)
  await edits(terminal)
  await failure(terminal)
  await releases(terminal)
  const report = path.join(terminal.cwd, '.cellmill', 'proofs', 'delays.html')
  terminal.expect(existsSync(report), 'there is a report of the graduation', `${report} is not there`)
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  terminal.note(`every expectation held, in ${seconds} s; the project is ${terminal.cwd}`)
  console.log(`report: ${report}`)
} catch (error) {
  if (!(error instanceof DemoFailure)) throw error
  console.error(`\ndemo: ${error.message}\nthe project is ${terminal.cwd}`)
  process.exitCode = 1
}
