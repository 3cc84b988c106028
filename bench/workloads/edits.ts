/** The edits of the recompute case, in order, each on top of the ones before, with the steps that have to run again. */
import { chainLength, editedStep } from './chain.ts'

export interface Edit {
  readonly what: string
  readonly ideal: number
  readonly file: string
  readonly from: string
  readonly to: string
  /** A run is expected to fail with this edit; the next one mends it. */
  readonly fails?: boolean
}

const from = (step: number): number => chainLength - step + 1
const k = editedStep

export const edits: readonly Edit[] = [
  { what: 'nothing', ideal: 0, file: 'helpers.py', from: '\n\n\nclass', to: '\n\n\nclass' },
  { what: 'a comment, two modules away', ideal: 0, file: 'lib/base.py', from: `# by FACTOR, ${k}`, to: '# times' },
  { what: 'a docstring, two modules away', ideal: 0, file: 'lib/base.py', from: `"""Step ${k}."""`, to: '"""Base."""' },
  {
    what: 'a helper that 21 of 40 steps come to, two modules away',
    ideal: from(k),
    file: 'lib/base.py',
    from: 'return x * FACTOR',
    to: 'return 1 + x * FACTOR',
  },
  { what: 'a constant that it reads', ideal: from(k), file: 'lib/base.py', from: 'FACTOR = 3', to: 'FACTOR = 5' },
  {
    what: 'a method of a class whose instance crosses a step',
    ideal: from(20),
    file: 'helpers.py',
    from: 'value * self.by + 1',
    to: 'value * self.by + 2',
  },
  {
    what: 'a registration at import',
    ideal: from(21),
    file: 'lib/registry.py',
    from: 'value + 7',
    to: 'value + 8',
  },
  { what: 'a parameter', ideal: from(10), file: 'assets/early.py', from: 'P10 = param(0)', to: 'P10 = param(4)' },
  { what: 'a data file', ideal: from(5), file: 'data/limits.csv', from: '1000000', to: '11' },
  {
    what: 'code that gives the same value',
    ideal: 1,
    file: 'assets/early.py',
    from: '    # same here\n',
    to: '    v = v + 0\n',
  },
  { what: 'one column of a table', ideal: 2, file: 'assets/wide.py', from: 'frame.a * 2', to: 'frame.a * 3' },
  {
    what: 'a new asset',
    ideal: 1,
    file: 'assets/late.py',
    from: '\n@asset\ndef s22(',
    to: '\n@asset\ndef extra(s22: dict) -> int:\n    return s22["v"]\n\n\n@asset\ndef s22(',
  },
  {
    what: 'a step that fails (it and nothing after it runs)',
    ideal: 1,
    file: 'assets/early.py',
    from: `helpers.helper_${k}(2)`,
    to: `helpers.helper_${k}(1 / 0)`,
    fails: true,
  },
  {
    what: 'the failed step mended',
    // And the reader of step 22 that the edit before added.
    ideal: from(k) + 1,
    file: 'assets/early.py',
    from: `helpers.helper_${k}(1 / 0)`,
    to: `helpers.helper_${k}(3)`,
  },
  {
    what: 'the edit before undone',
    ideal: 0,
    file: 'assets/early.py',
    from: `helpers.helper_${k}(3)`,
    to: `helpers.helper_${k}(2)`,
  },
]
