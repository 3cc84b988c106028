/** Ctrl-C ends a run in order; two runs at once on one state share the work. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestProject } from '../support/project.ts'
import { readFacts } from './support/catalog-facts.ts'
import { CliRun, survivors } from './support/cli-run.ts'
import { projectFiles } from './support/project-files.ts'

const slow = `import time

from cellmill import asset, param

SEED = param(0)


@asset
def slow(squares: list) -> int:
    time.sleep(600 if SEED > 0 else 0)
    return len(squares)
`

describe.each([
  ['its process', (pid: number) => process.kill(pid, 'SIGINT')],
  ['its whole process group, as a terminal does', (pid: number) => process.kill(-pid, 'SIGINT')],
])('Ctrl-C to %s', (_, interrupt) => {
  const project = new TestProject({ ...projectFiles, 'assets/slow.py': slow })
  afterAll(() => project.remove())

  it('ends the run as cancelled with exit code 130, and leaves no process', async () => {
    const run = new CliRun(project.root, ['--param', 'seed=1'])
    await run.event(({ type, step }) => type === 'step-started' && step === 'slow')
    const processes = run.processes()
    expect(processes.length).toBeGreaterThan(0)
    interrupt(run.child.pid!)
    expect(await run.ended, run.stderr).toEqual({ code: 130, signal: null })
    expect(run.events.at(-1)).toMatchObject({ type: 'run-finished', state: 'cancelled', release: null })
    expect(await survivors(processes)).toEqual([])
    const { runStates, published } = readFacts(project.root)
    expect([...runStates.values()]).toEqual(['cancelled'])
    expect(published.get('dev')?.assets ?? []).toEqual([])
  })

  it('keeps what was finished', async () => {
    expect(await project.json('verify')).toMatchObject({ healthy: true })
    const again = new CliRun(project.root, ['--param', 'seed=1'])
    await again.event(({ type, step }) => type === 'step-started' && step === 'slow')
    const reused = again.events.filter(({ type }) => type === 'step-succeeded').map(({ step }) => step)
    expect(reused).not.toContain('squares')
    interrupt(again.child.pid!)
    expect((await again.ended).code).toBe(130)
    expect((await project.run()).finished).toMatchObject({ state: 'succeeded' })
  })
})

describe('two runs at once on one state', () => {
  const project = new TestProject(projectFiles)
  beforeAll(() => expect(project.run()).resolves.toMatchObject({ code: 0 }))
  afterAll(() => project.remove())

  it('build each step once between them', async () => {
    const runs = ['dev', 'other'].map((name) => new CliRun(project.root, ['--param', 'seed=5', '--env', name]))
    for (const run of runs) expect(await run.ended, run.stderr).toMatchObject({ code: 0 })
    const built = runs
      .flatMap(({ events }) => events.filter(({ type }) => type === 'step-succeeded'))
      .map(({ step }) => step)
    expect(built.toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual([
      'joined',
      'lengths',
      'rows_of_seed',
      'squares',
      'summed',
      'text',
      'total',
    ])
    const [began, ended] = [0, -1].map((at) => runs.map(({ events }) => Date.parse(events.at(at)!.at))) as [
      number[],
      number[],
    ]
    expect(Math.max(...began), 'both ran at the same time').toBeLessThan(Math.min(...ended))
    const facts = readFacts(project.root)
    expect(facts.doubled).toEqual([])
    for (const name of ['dev', 'other']) expect(facts.published.get(name)).toMatchObject({ seeds: [5] })
    expect(await project.json('verify')).toMatchObject({ healthy: true })
  })
})
