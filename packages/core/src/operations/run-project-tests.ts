/** `test`: the project's own pytest on its locked packages. The tests are the user's, run as the user, in the project's folder. */
import { spawn } from 'node:child_process'
import { CellmillError } from '../errors.ts'
import { pythonPackageRoot } from '../sibling.ts'
import type { Workspace } from './workspace.ts'

export interface ProjectTests {
  readonly arguments: readonly string[]
  readonly onText: (text: string) => void
  readonly signal: AbortSignal
}

const noTestsCollected = 5

export async function runProjectTests(
  workspace: Workspace,
  tests: ProjectTests,
): Promise<{ readonly passed: boolean; readonly exitCode: number }> {
  const environment = await workspace.python()
  if (!environment.distributions.some(({ name }) => name === 'pytest')) {
    throw new CellmillError('PACKAGES_NOT_INSTALLED', 'pytest is not in the lock', {
      hint: 'add pytest to requirements.txt, then  cellmill packages lock && cellmill packages sync',
    })
  }
  const child = spawn(
    environment.python,
    ['-m', 'pytest', '-p', 'no:cacheprovider', ...(tests.arguments.length > 0 ? tests.arguments : ['tests'])],
    {
      cwd: workspace.root,
      env: {
        ...process.env,
        PYTHONPATH: `${workspace.root}:${pythonPackageRoot()}`,
        PYTHONDONTWRITEBYTECODE: '1',
        MPLBACKEND: 'agg',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: tests.signal,
    },
  )
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => tests.onText(chunk.toString('utf8')))
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
  if (exitCode === noTestsCollected) {
    throw new CellmillError('USAGE', 'pytest found no tests', {
      hint: 'write one in tests/test_NAME.py; assets are plain functions there',
    })
  }
  return { passed: exitCode === 0, exitCode }
}
