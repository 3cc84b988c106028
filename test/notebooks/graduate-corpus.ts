/**
 * Real notebooks of Debian's documentation packages through `cellmill graduate`, as a script:
 *   node test/notebooks/graduate-corpus.ts NAME...
 * Each NAME is part of a notebook's path; one line per notebook with its verdict and the first reasons. Slow: not a test.
 */
import { TestProject } from '../support/project.ts'
import { collectNotebooks, notebookText } from './collect-notebooks.ts'

const config = `import { defineConfig } from '@cellmill/sdk'
export default defineConfig({ name: 'corpus', environments: { prod: {}, dev: {} } })
`

interface Answer {
  readonly verdict?: string
  readonly reasons?: readonly { readonly code: string; readonly cell: number | null; readonly message: string }[]
  readonly cut?: { readonly cells: number; readonly steps: number; readonly largestShare: number } | null
}

for (const wanted of process.argv.slice(2)) {
  const notebook = collectNotebooks().find((name) => name.includes(wanted))
  if (notebook === undefined) continue
  const project = new TestProject({ 'cellmill.config.ts': config, 'notebooks/one.ipynb': notebookText(notebook) })
  project.usePackages()
  const startedAt = performance.now()
  const done = await project.cli('graduate', 'notebooks/one.ipynb', '--json')
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  let answer: Answer = {}
  try {
    answer = JSON.parse(done.stdout) as Answer
  } catch {
    // Shown below as what it is.
  }
  const cut =
    answer.cut == null
      ? ''
      : `${answer.cut.cells} cells, ${answer.cut.steps} steps, largest ${answer.cut.largestShare.toFixed(2)}`
  console.log(
    `${answer.verdict ?? `CRASH ${done.stdout.slice(0, 600)} ${done.stderr.slice(-300)}`}  ${wanted}  ${cut}  ${seconds} s`,
  )
  for (const { code, cell, message } of (answer.reasons ?? []).slice(0, 8))
    console.log(`    ${code} cell ${cell}: ${message.slice(0, 200)}`)
  if (process.env['CELLMILL_KEEP'] === undefined) project.remove()
  else console.log(`    ${project.root}`)
}
