/** What the demo shows, in order, with what must hold after each command. */
import type { Terminal } from './terminal.ts'

interface PlanAnswer {
  readonly steps: readonly {
    readonly step: string
    readonly kind: string
    readonly action: string
    readonly reason: { readonly kind: string }
  }[]
}

interface Status {
  readonly release: number
  readonly held: boolean
}

const notebook = 'notebooks/delays.ipynb'
const module = 'assets/delays.py'
/** The two assets whose code calls `late_share`, as the notebook's author wrote it. */
const readersOfHelper = ['by_carrier', 'by_hour']

export async function graduation(terminal: Terminal): Promise<void> {
  terminal.chapter('A notebook')
  await terminal.show(
    `audit ${notebook}`,
    "reads only: the author's own path, a name used above the cell that defines it",
  )
  const audited = await terminal.ask<{ findings: { code: string }[] }>(`audit ${notebook}`)
  const codes = new Set(audited.findings.map(({ code }) => code))
  terminal.expect(
    codes.has('N20'),
    "the audit finds the path of its author's machine (N20)",
    `it found ${[...codes].join(', ')}`,
  )
  await terminal.show(
    `graduate ${notebook}`,
    'runs it observed, cuts it into assets, and proves that both compute the same: every value, text and figure',
  )
}

export async function firstRuns(terminal: Terminal): Promise<void> {
  terminal.chapter('A pipeline')
  await terminal.show('plan', 'nothing was built yet; a row and a reason for each step')
  const planned = await plan(terminal)
  terminal.expect(
    planned.steps.every(({ action, kind }) => action !== 'reuse' || kind === 'effect'),
    'everything is to be built',
    'some of it is there already',
  )
  const first = await terminal.run('run', 'builds, checks and publishes at the end, in one transaction')
  terminal.expectSame('the run ends as', first.finished.state, 'succeeded')
  terminal.expectSame('steps built', first.built.length, planned.steps.filter(isBuilt).length)
  terminal.expectSame('the release is', first.finished.release, 1)
  await terminal.show('show by_carrier --rows 5', 'what was published, with where it comes from')
  const again = await terminal.run('run', 'again: everything is reused, no Python starts')
  terminal.expectSame('steps built again', again.built, [])
}

export async function edits(terminal: Terminal): Promise<void> {
  terminal.chapter('Edits')
  terminal.edit(module, '# small ones are noise', '# small ones are noise, and OO flew once')
  await terminal.show('plan --exit-code', 'a comment changes no code: nothing to do')

  terminal.edit(module, 'g.late / g.flights', '(g.late / g.flights).round(3)')
  await terminal.show(
    'plan',
    `a helper changed: exactly what calls it (${readersOfHelper.join(', ')}), and what may follow`,
  )
  const { steps } = await plan(terminal)
  const byCode = steps.filter(({ reason }) => reason.kind === 'code').map(({ step }) => step)
  terminal.expectSame('steps whose code changed', byCode.sort(), readersOfHelper)
  const ran = await terminal.run('run', 'the model and the days are reused')
  terminal.expectSame('the run ends as', ran.finished.state, 'succeeded')
  terminal.expectSame('assets built', assetsAmong(ran.built, steps), readersOfHelper)
}

export async function failure(terminal: Terminal): Promise<void> {
  terminal.chapter('A mistake')
  terminal.edit(module, 'nlargest(3, "mean_delay")', 'nlargest(5, "mean_dely")')
  const failed = await terminal.run(
    'run',
    'the line, the column that is not there, the ones that are; nothing is published',
  )
  terminal.expectSame('the run exits with', failed.code, 1)
  terminal.expectSame('steps failed', failed.failed, ['worst'])
  terminal.expectSame('the release is', failed.finished.release, null)

  terminal.edit(module, 'nlargest(5, "mean_dely")', 'nlargest(5, "mean_delay")')
  const { steps } = await plan(terminal)
  const fixed = await terminal.run('run', 'goes on where it failed: what was finished is reused')
  terminal.expectSame('the run ends as', fixed.finished.state, 'succeeded')
  terminal.expectSame('assets built', assetsAmong(fixed.built, steps), ['worst'])
}

export async function releases(terminal: Terminal): Promise<void> {
  terminal.chapter('Back and forth')
  const before = await terminal.ask<Status>('status')
  await terminal.show('rollback dev', 'pointers move back; nothing is computed, nothing is deleted')
  const rolled = await terminal.ask<Status>('status')
  terminal.expectSame('the environment is held', rolled.held, true)
  terminal.expectSame('the rollback is release', rolled.release, before.release + 1)
  await terminal.show('sql "select * from worst order by mean_delay desc"', 'the three worst days again, not five')
  const rows = await terminal.ask<{ rows: unknown[] }>('sql "select * from worst"')
  terminal.expectSame('rows of worst after the rollback', rows.rows.length, 3)
  await terminal.show('unhold dev', 'a rolled back environment is held until someone says so, or the code changes')
  const published = await terminal.run('run', 'publishes the latest again; all of it was built before')
  terminal.expectSame('assets built', published.finished.built, 0)
  terminal.expect(published.finished.release !== null, 'the run publishes a release', 'it did not')
}

function plan(terminal: Terminal): Promise<PlanAnswer> {
  return terminal.ask<PlanAnswer>('plan')
}

function isBuilt({ kind }: PlanAnswer['steps'][number]): boolean {
  return kind === 'asset' || kind === 'report'
}

function assetsAmong(names: readonly string[], steps: PlanAnswer['steps']): readonly string[] {
  const assets = new Set(steps.filter(({ kind }) => kind === 'asset').map(({ step }) => step))
  return names.filter((name) => assets.has(name))
}
