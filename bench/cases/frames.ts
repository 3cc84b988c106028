/** Ten Python steps over a frame of 1,000,000 x 8, over one script that reads and writes the same Parquet files. */
import { rmSync } from 'node:fs'
import path from 'node:path'
import { openWorkspace } from '@cellmill/core/app.ts'
import type { TestProject } from '../../test/support/project.ts'
import { cliCommand, makeProject } from '../bench-project.ts'
import { measurePairs, runCommand, timeCommand, toTiming } from '../measure.ts'
import type { BenchCase } from '../section.ts'

const times = 3
const steps = 10

export const frames: BenchCase = {
  name: 'frames',
  title: 'Ten steps over a million rows in pandas',
  async run() {
    const project = await makeProject(
      { 'assets/frames.py': assetsText(), 'floor.py': floorText },
      { withPackages: true },
    )
    try {
      const python = await pythonOf(project)
      const floor = { command: python, args: ['floor.py', 'floor'], cwd: project.root }
      const remove = (name: string): void => rmSync(path.join(project.root, name), { recursive: true, force: true })
      const pairs = await measurePairs(times, {
        floor: () => {
          remove('floor')
          return timeCommand(floor)
        },
        ours: () => {
          for (const part of ['catalog.sqlite', 'catalog.sqlite-wal', 'catalog.sqlite-shm', 'store'])
            remove(`.cellmill/${part}`)
          return timeCommand(cliCommand(project.root, 'run'))
        },
      })
      const what = `\`cellmill run\`, the frame and ${steps} steps, each in a process of its own`
      return { timings: [toTiming(what, 'one script, the same Parquet files', '1.3x, warm', pairs)], notes: [note] }
    } finally {
      project.remove()
    }
  },
}

const note =
  'The caches of an earlier run are there. Over the floor come, for each step: the imports of pandas and pyarrow, the digest and profile of what it wrote, and the check that every value survives Parquet.'

async function pythonOf(project: TestProject): Promise<string> {
  await runCommand(cliCommand(project.root, 'plan'))
  const workspace = openWorkspace({ folder: project.root, variables: process.env })
  const { python } = await workspace.python()
  await workspace.close()
  return python
}

const sourceLine = 'pd.DataFrame(np.random.default_rng(1).random((1_000_000, 8)), columns=[f"c{i}" for i in range(8)])'

const floorText = `import os, sys
import numpy as np
import pandas as pd

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
frame = ${sourceLine}
frame.to_parquet(f"{folder}/0.parquet", compression="zstd")
for k in range(1, ${steps + 1}):
    frame = pd.read_parquet(f"{folder}/{k - 1}.parquet")
    frame["c1"] = frame["c0"] + k
    frame.to_parquet(f"{folder}/{k}.parquet", compression="zstd")
`

function assetsText(): string {
  const all = Array.from({ length: steps }, (_, i) => {
    const k = i + 1
    return `

@asset
def f${k}(f${i}: pd.DataFrame) -> pd.DataFrame:
    f${i}["c1"] = f${i}["c0"] + ${k}
    return f${i}
`
  })
  return `import numpy as np
import pandas as pd
from cellmill import asset


@asset
def f0() -> pd.DataFrame:
    return ${sourceLine}
${all.join('')}`
}
