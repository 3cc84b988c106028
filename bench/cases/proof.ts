/** The proof of the template's notebook, over running that notebook once by hand in the same environment. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { openWorkspace } from '@cellmill/core/app.ts'
import { TestProject } from '../../test/support/project.ts'
import { cliCommand } from '../bench-project.ts'
import { measurePairs, runCommand, timeCommand, toTiming } from '../measure.ts'
import type { BenchCase } from '../section.ts'

const times = 3
const notebook = 'notebooks/delays.ipynb'

export const proof: BenchCase = {
  name: 'proof',
  title: 'Proving a notebook',
  async run() {
    const project = new TestProject()
    try {
      await runCommand(cliCommand(project.root, 'init', '.', '--template', 'notebook'))
      project.usePackages()
      await runCommand(cliCommand(project.root, 'packages', 'sync'))
      await runCommand(cliCommand(project.root, 'graduate', notebook))
      writeFileSync(path.join(project.root, 'by_hand.py'), byHandText)
      const workspace = openWorkspace({ folder: project.root, variables: process.env })
      const { python } = await workspace.python()
      await workspace.close()
      const byHand = { command: python, args: ['by_hand.py', notebook], cwd: project.root }
      const pairs = await measurePairs(times, {
        floor: () => timeCommand(byHand),
        ours: () => timeCommand(cliCommand(project.root, 'prove', notebook)),
      })
      return {
        timings: [
          toTiming(
            `\`cellmill prove ${notebook}\``,
            'the notebook, run once by IPython',
            '3x; 5x with mutants; from 10 s on',
            pairs,
          ),
        ],
        notes: [note],
      }
    } finally {
      project.remove()
    }
  },
}

const note =
  'The notebook takes a few seconds, most of it imports, so that the fixed costs of the proof (kernels, a process for each step, mutants) show; the target is for notebooks above 10 s.'

/** The cells in one IPython shell in the order in which they were run, as a kernel runs them. */
const byHandText = `import json, os, sys
os.environ["MPLBACKEND"] = "agg"
from IPython.core.interactiveshell import InteractiveShell

path = os.path.abspath(sys.argv[1])
os.chdir(os.path.dirname(path))
author, here = "/home/maria/projects/delays", os.path.dirname(os.getcwd())
InteractiveShell.enable_gui = lambda self, gui=None: None
shell = InteractiveShell.instance()
cells = [cell for cell in json.load(open(path))["cells"] if cell["cell_type"] == "code"]
for cell in sorted(cells, key=lambda cell: cell["execution_count"] or len(cells)):
    shell.run_cell("".join(cell["source"]).replace(author, here)).raise_error()
`
