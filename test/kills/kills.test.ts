/**
 * `cellmill run` killed at random moments, alone and among others on the same state. Whatever was acknowledged is there,
 * nothing is half-published, and running again goes on. 60 kills, 300 with CELLMILL_FULL=1; CELLMILL_SEED=N repeats.
 */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestProject } from '../support/project.ts'
import { readFacts } from './support/catalog-facts.ts'
import { CliRun, survivors } from './support/cli-run.ts'
import type { RunEnd, SeenEvent } from './support/cli-run.ts'
import { assetNames, projectFiles } from './support/project-files.ts'
import { chosenSeed, seededRandom } from './support/random.ts'

const kills = process.env['CELLMILL_FULL'] === '1' ? 300 : 60
const seed = chosenSeed()
const random = seededRandom(seed)
const project = new TestProject(projectFiles)

interface Tally {
  /** Died by our signal while a run was under way. */
  duringRun: number
  /** Died by our signal before the run began or after it ended. */
  aroundRun: number
  /** Had ended by itself. */
  tooLate: number
  /** Runs that ran to their end around the kills. */
  completed: number
}

describe(`a run killed at any moment (CELLMILL_SEED=${seed})`, () => {
  const tally: Tally = { duringRun: 0, aroundRun: 0, tooLate: 0, completed: 0 }
  const acknowledged: SeenEvent[] = []
  let pipeline = 1
  let runMs = 1000

  beforeAll(async () => {
    console.log(`kills: ${kills}, CELLMILL_SEED=${seed}`)
    const startedAt = performance.now()
    const first = new CliRun(project.root, ['--param', `seed=${pipeline}`])
    expect(await first.event(({ type }) => type === 'run-started')).not.toBeNull()
    const runStartedAt = performance.now()
    expect(await first.ended, first.stderr).toMatchObject({ code: 0 })
    runMs = performance.now() - runStartedAt
    console.log(`one run: ${Math.round(performance.now() - startedAt)} ms`)
  })
  afterAll(() => project.remove())

  it('loses nothing that was acknowledged, and publishes nothing by halves', { timeout: kills * 20_000 }, async () => {
    let completedBefore = 0
    while (tally.duringRun + tally.aroundRun + tally.tooLate < kills) {
      // Every other kill goes on with what the last one left, where it left something to do.
      const isNew = random() < 0.5 || tally.completed > completedBefore
      completedBefore = tally.completed
      if (isNew) pipeline++
      const others = random() < 0.25 ? 1 + Math.floor(random() * 2) : 0
      await killOne(isNew, others)
      expectWhole()
      if (others > 0 || random() < 0.3) expect(await project.json('verify')).toMatchObject({ healthy: true })
    }
    expect(await project.json('verify')).toMatchObject({ healthy: true })
  })

  it('hit runs under way most of the time, and others ran to their end meanwhile', () => {
    console.log(JSON.stringify(tally))
    expect(tally.duringRun).toBeGreaterThan(kills / 2)
    expect(tally.completed).toBeGreaterThan(kills / 20)
  })

  it('goes on to the end afterwards, and then has nothing to do', async () => {
    const last = await project.run('--param', `seed=${pipeline}`)
    expect(last.stderr).toBe('')
    expect(last.finished).toMatchObject({ state: 'succeeded', failed: 0 })
    expect((await project.run('--param', `seed=${pipeline}`)).built).toEqual([])
    const facts = readFacts(project.root)
    expect(facts.running).toEqual([])
    expect(facts.doubled).toEqual([])
    expect(facts.published.get('dev')).toMatchObject({ assets: [...assetNames], seeds: [pipeline] })
    expect(await project.json('verify')).toMatchObject({ healthy: true, nonReproducible: [] })
    const answer = await project.json<{ rows: unknown[][] }>('sql', 'select seed, rows from summed')
    expect(answer.rows).toEqual([[pipeline, 2000]])
  })

  it('leaves no folder of an attempt behind', () => {
    const attempts = path.join(project.root, '.cellmill', 'tmp', 'attempts')
    expect(readdirSync(attempts)).toEqual([])
  })

  it('frees what the kills left, and keeps what is published', async () => {
    expect((await project.cli('gc')).code).toBe(0)
    expect(await project.json('verify')).toMatchObject({ healthy: true })
    expect((await project.run('--param', `seed=${pipeline}`)).built).toEqual([])
  })

  /** Starts a run, and others beside it, kills the first at a random moment, and lets the others end. */
  async function killOne(isNew: boolean, others: number): Promise<void> {
    const victim = new CliRun(project.root, ['--param', `seed=${pipeline}`])
    const beside = Array.from({ length: others }, (_, i) => {
      const environment = i === 0 ? 'dev' : 'other'
      return new CliRun(project.root, ['--param', `seed=${pipeline}`, '--env', environment])
    })
    // Most kills are to hit the work, wherever a loaded machine has got to; some the start, before anything is written.
    if (random() < 0.88) await victim.eventCount(1 + Math.floor(random() * (isNew ? 14 : 5)))
    await sleep(random() * runMs * 0.3)
    const processes = victim.processes()
    const wasOver = victim.child.exitCode !== null
    if (!wasOver) victim.child.kill('SIGKILL')
    const end = await victim.ended
    if (end.signal !== 'SIGKILL') {
      tally.tooLate++
      expectEnded(victim, end, others)
    } else if (victim.saw('run-started') && !victim.saw('run-finished')) tally.duringRun++
    else tally.aroundRun++
    acknowledged.push(...victim.events)
    expect(await survivors(processes), 'processes that outlived the run').toEqual([])
    for (const run of beside) {
      const end = await run.ended
      acknowledged.push(...run.events)
      expectEnded(run, end, others)
    }
  }

  /** By itself: to its end, or told to run again where others published at once. */
  function expectEnded(run: CliRun, end: RunEnd, others: number): void {
    if (others > 0 && run.error?.code === 'PUBLISH_CONFLICT') return
    expect(end.code, run.problems()).toBe(0)
    tally.completed++
  }

  function expectWhole(): void {
    const facts = readFacts(project.root)
    expect(facts.doubled).toEqual([])
    for (const [environment, { assets, seeds }] of facts.published) {
      expect(assets, environment).toEqual([...assetNames])
      expect(seeds, environment).toHaveLength(1)
    }
    for (const event of acknowledged.splice(0)) {
      if (event.type === 'step-succeeded') expect(facts.succeeded).toContain(`${event.runId}/${event.step}`)
      if (event.type === 'published')
        expect(facts.releases).toContain(`${event.environment}@${event.release} by ${event.runId}`)
    }
  }
})
