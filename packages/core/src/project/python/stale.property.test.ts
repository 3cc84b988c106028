/**
 * Never stale: whenever an edit changes what a step really returns, its closure changes. Both versions of a generated
 * project are run by the real interpreter. How often a closure changed without need is printed, not asserted.
 */
import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { canonicalJson, sha256 } from '../../canonical.ts'
import type { Json } from '../../canonical.ts'
import type { ModuleRecord, PythonFacts } from '../../fingerprint/python/facts.ts'
import { pythonClosures } from '../../fingerprint/python/python-closures.ts'
import { pythonPackageRoot } from '../../sibling.ts'
import { PythonReader } from './python-reader.ts'
import { stepsOf } from './python-steps.ts'
import { edit, filesOf, program, stepFile, stepSymbols } from './testing/generate-project.ts'
import { testProject, testPython } from './testing/test-project.ts'

const runs = Number(process.env['CELLMILL_PROPERTY_RUNS'] ?? 40)
const reader = new PythonReader(testPython)
const known: Map<string, ModuleRecord> = new Map()
let runner: ChildProcessWithoutNullStreams
let answers: AsyncIterator<string>

beforeAll(() => {
  const script = fileURLToPath(new URL('testing/run_step.py', import.meta.url))
  runner = spawn(testPython, ['-I', script, pythonPackageRoot()])
  answers = createInterface({ input: runner.stdout })[Symbol.asyncIterator]()
})
afterAll(() => {
  reader.close()
  runner.kill()
})

async function resultsOf(files: Record<string, string>): Promise<string[]> {
  using project = testProject(files)
  const texts: string[] = []
  for (const symbol of stepSymbols) {
    runner.stdin.write(`${JSON.stringify({ root: project.root, file: stepFile, symbol })}\n`)
    const { value } = await answers.next()
    texts.push((JSON.parse(value as string) as { text: string }).text.replaceAll(project.root, 'ROOT'))
  }
  return texts
}

async function closuresOf(files: Record<string, string>): Promise<string[]> {
  const modules: Record<string, ModuleRecord> = {}
  const { stdlib } = await reader.open()
  for (const [file, text] of Object.entries(files)) {
    let record = known.get(text)
    if (record === undefined) {
      record = { text: sha256(text), facts: await reader.read(Buffer.from(text)) }
      known.set(text, record)
    }
    modules[file] = record
  }
  const facts: PythonFacts = { modules, data: {}, folders: {}, assetFolders: [path.posix.dirname(stepFile)], stdlib }
  const closures = pythonClosures(facts, null)
  const { steps } = stepsOf(stepFile, modules[stepFile]!.facts)
  return stepSymbols.map((symbol) => {
    const step = steps.find((other) => other.symbol === symbol)
    return step === undefined ? 'absent' : canonicalJson(closures.closureOf(step).units as unknown as Json)
  })
}

test('an edit that changes a result changes the closure, and a comment never does', async () => {
  const count = { pairs: 0, changed: 0, needless: 0, wholeText: 0, failed: 0 }
  await fc.assert(
    fc.asyncProperty(program, edit, async (before, { name, isNeutral, apply }) => {
      const [first, second] = [filesOf(before), filesOf(apply(before))]
      const [oldResults, newResults] = [await resultsOf(first), await resultsOf(second)]
      const [oldClosures, newClosures] = [await closuresOf(first), await closuresOf(second)]
      stepSymbols.forEach((symbol, i) => {
        const isSame = oldClosures[i] === newClosures[i]
        const differs = oldResults[i] !== newResults[i]
        count.pairs++
        if (/^\w+(Error|Exception):/.test(oldResults[i]!)) count.failed++
        if (differs) count.changed++
        if (!differs && !isSame) count.needless++
        if (!differs && !isSame && oldClosures[i]!.includes('"unit":"text"')) count.wholeText++
        if (isSame) expect(newResults[i], `${symbol} after: ${name}`).toBe(oldResults[i])
        // Where names are computed the whole text counts, comments too.
        if (isNeutral && !oldClosures[i]!.includes('"unit":"text"')) expect(newClosures[i], name).toBe(oldClosures[i])
      })
    }),
    {
      numRuns: runs,
      ...(process.env['CELLMILL_PROPERTY_SEED'] ? { seed: Number(process.env['CELLMILL_PROPERTY_SEED']) } : {}),
    },
  )
  process.stdout.write(
    `closures: ${count.pairs} pairs, ${count.changed} results changed, ${count.needless} closures changed without need (${count.wholeText} of them where names are computed), ${count.failed} failed before the edit\n`,
  )
}, 1_200_000)
