/**
 * What one step costs by itself. The cold cost is the time from the start of the attempt (its folder, the sandbox, the
 * interpreter, the runner) to the first line of the author's function, over starting the same interpreter on the same
 * lines by hand; then whole runs of such steps over the same number of bare processes.
 */
import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { openWorkspace } from '@cellmill/core/app.ts'
import type { Language, StepDefinition } from '@cellmill/core/model/project.ts'
import type { StepWork } from '@cellmill/core/runtimes/runtime.ts'
import type { TestProject } from '../../test/support/project.ts'
import { cliCommand, makeProject } from '../bench-project.ts'
import { measurePairs, runCommand, timeCommand, toTiming } from '../measure.ts'
import type { Measured } from '../measure.ts'
import type { BenchCase, Timing } from '../section.ts'
import { chainFiles } from '../workloads/chain.ts'

const times = 15
const chainTimes = 3
/** Written by the measured code: seconds since 1970. */
const mark = 'bench-first-line '

const standardText = `import collections, csv, datetime, json, re
from cellmill import asset


@asset
def standard() -> int:
    import time
    print("${mark}", time.time())
    return 1
`
const pandasText = `import pandas as pd
import pyarrow.parquet
from cellmill import asset


@asset
def frame() -> pd.DataFrame:
    import time
    print("${mark}", time.time())
    return pd.DataFrame({"a": [1]})
`
const typescriptText = `import { asset } from '@cellmill/sdk'

export const numbers = asset({
  async run() {
    console.log('${mark}', (performance.timeOrigin + performance.now()) / 1000)
    return [{ a: 1 }]
  },
})
`

export const stepOverhead: BenchCase = {
  name: 'steps',
  title: 'A step by itself',
  async run() {
    const files = {
      'assets/standard.py': standardText,
      'assets/frame.py': pandasText,
      'assets/numbers.ts': typescriptText,
    }
    const project = await makeProject(files, { withPackages: true })
    const workspace = openWorkspace({ folder: project.root, variables: process.env })
    try {
      const { python } = await workspace.python()
      const cold = (step: string) => coldStart(workspace, project.root, step)
      const timings = [
        await compare('Python, standard library', pythonByHand(project, python, standardText), cold('standard')),
        await compare('Python, pandas and pyarrow', pythonByHand(project, python, pandasText), cold('frame')),
        toTiming(
          'TypeScript, to the first line',
          'node, the same lines',
          '',
          await measurePairs(times, { floor: nodeByHand(project), ours: cold('numbers') }),
        ),
        ...(await wholeRuns(python)),
      ]
      return { timings, notes: ['Steps are not started ahead yet: the warm targets wait for the fork server.'] }
    } finally {
      await workspace.close()
      project.remove()
    }
  },
}

async function compare(what: string, floor: Measured, ours: Measured): Promise<Timing> {
  const pairs = await measurePairs(times, { floor, ours })
  return toTiming(`${what}, to the first line`, 'python, the same lines', '+20 ms', pairs)
}

type Workspace = ReturnType<typeof openWorkspace>

/** Milliseconds from here to the line that the step printed. */
function coldStart(workspace: Workspace, root: string, id: string): Measured {
  let attempt = 0
  return async () => {
    const { project } = await workspace.project()
    const definition = project.steps.find((step) => step.id === id)!
    const dispatch = await workspace.dispatch()
    const folder = path.join(root, '.cellmill/tmp/attempts/bench', `${id}.${attempt++}`)
    let output = ''
    const startedAt = performance.timeOrigin + performance.now()
    const log = { write: (_stream: 'stdout' | 'stderr', text: string): void => void (output += text) }
    const outcome = await dispatch.execute(workOf(root, definition, folder), log, new AbortController().signal)
    rmSync(folder, { recursive: true, force: true })
    if (outcome.state !== 'succeeded') throw new Error(`${id} ${outcome.state}: ${JSON.stringify(outcome)}`)
    return firstLineAt(output) - startedAt
  }
}

function workOf(root: string, definition: StepDefinition, folder: string): StepWork {
  return {
    definition,
    runId: 'bench',
    attempt: 1,
    inputs: [],
    parameters: {},
    projectParameters: {},
    projectParameterTypes: {},
    runTime: '2026-01-01T00:00:00.000Z',
    seed: 'bench',
    randomState: null,
    codeFiles: [definition.file],
    projectRoot: root,
    folder,
    idempotencyKey: 'bench',
    secrets: {},
    strict: false,
  }
}

function firstLineAt(output: string): number {
  const line = output.split('\n').find((text) => text.startsWith(mark))
  if (line === undefined) throw new Error(`the step did not print its mark: ${output}`)
  return Number(line.slice(mark.length)) * 1000
}

function byHand(project: TestProject, language: Language, text: string, command: readonly string[]): Measured {
  const file = path.join(project.root, language === 'python' ? 'by_hand.py' : 'by-hand.ts')
  return async () => {
    writeFileSync(file, text)
    const startedAt = performance.timeOrigin + performance.now()
    return firstLineAt(await runCommand({ command: command[0]!, args: [...command.slice(1), file] })) - startedAt
  }
}

function pythonByHand(project: TestProject, python: string, text: string): Measured {
  const plain = text.replace('from cellmill import asset\n', '').replace('@asset\n', '')
  const name = /^def (\w+)/m.exec(plain)![1]
  return byHand(project, 'python', `${plain}\n\n${name}()\n`, [python, '-s', '-P'])
}

function nodeByHand(project: TestProject): Measured {
  const line = typescriptText.split('\n').find((text) => text.includes('console.log'))!
  return byHand(project, 'typescript', `${line}\n`, [process.execPath, '--no-warnings'])
}

/** 40 steps from nothing, over 40 bare processes: the measure that the peers were held to. */
async function wholeRuns(python: string): Promise<readonly Timing[]> {
  const project = await makeProject(chainFiles())
  try {
    const pairs = await measurePairs(chainTimes, {
      floor: async () => {
        let ms = 0
        for (let i = 0; i < 40; i++) ms += await timeCommand({ command: python, args: ['-c', 'pass'] })
        return ms
      },
      ours: async () => {
        rmSync(path.join(project.root, '.cellmill'), { recursive: true, force: true })
        return timeCommand(cliCommand(project.root, 'run'))
      },
    })
    return [toTiming('`cellmill run` from nothing, a chain of 40 Python steps', '40 times `python -c pass`', '', pairs)]
  } finally {
    project.remove()
  }
}
