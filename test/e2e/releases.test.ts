/** What moves pointers after a run: publishing later, and going back. Both are guarded as the end of a run is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestProject } from '../support/project.ts'

const config = `import { defineConfig, file } from '@cellmill/sdk'
export default defineConfig({ name: 'shop', sources: { orders: file('data/orders.csv') }, environments: { prod: {}, dev: {} } })
`
const totals = `-- @check not_null(day)
SELECT day, sum(total) AS total FROM orders GROUP BY day ORDER BY day
`
const days = `SELECT count(*) AS days FROM totals
`
const note = `import { asset, table } from '@cellmill/sdk'

export const note = asset({
  inputs: { totals: table() },
  kind: 'file',
  export: 'out/note.txt',
  async run({ totals }) {
    let text = ''
    for await (const row of totals) text += \`\${row.day} \${row.total}\\n\`
    return new TextEncoder().encode(text)
  },
})
`

interface Moved {
  readonly release: number
  readonly to: number
  readonly moved: readonly string[]
}

describe('releases of an environment', () => {
  const project = new TestProject({
    'cellmill.config.ts': config,
    'data/orders.csv': 'day,total\nmon,1\ntue,2\n',
    'assets/totals.sql': totals,
    'assets/days.sql': days,
  })
  const release = async (): Promise<number> => (await project.json<{ release: number }>('status')).release
  const total = async (): Promise<unknown> =>
    (await project.json<{ rows: readonly unknown[] }>('sql', 'select sum(total)::int as total from totals')).rows
  const edit = (amount: number): void => project.write({ 'data/orders.csv': `day,total\nmon,1\ntue,${amount}\n` })
  beforeAll(async () => {
    for (const amount of [2, 3, 4]) {
      edit(amount)
      expect((await project.run()).code).toBe(0)
    }
  })
  afterAll(() => project.remove())

  it('go back one at a time, however often, whatever the releases are called', async () => {
    expect(await project.json<Moved>('rollback')).toMatchObject({ release: 4, to: 2 })
    expect(await project.json<Moved>('rollback')).toMatchObject({ release: 5, to: 1 })
    const last = await project.cli('rollback', '--json')
    expect(last.code).toBe(2)
    expect(await total()).toEqual([[3]])
    expect(await project.json<Moved>('rollback', '--to', '3')).toMatchObject({ release: 6, to: 3 })
    expect(await total()).toEqual([[5]])
  })

  it('name the table that was meant when a query misses it', async () => {
    const missed = await project.cli('sql', 'select * from totls', '--json')
    expect(missed.code).toBe(1)
    expect(missed.stdout).toContain("did you mean 'totals'?")
  })

  it('take what a run kept back, with what that run read', async () => {
    await project.cli('unhold')
    edit(5)
    const kept = await project.run('--no-publish')
    expect(kept.finished).toMatchObject({ state: 'succeeded', release: null })
    expect(await total()).toEqual([[5]])
    const before = await release()
    expect(await project.json<Moved>('publish', '@last')).toMatchObject({ release: before + 1 })
    expect(await total()).toEqual([[6]])
  })

  it('refuse a run whose readers would be of another version, unless it is said', async () => {
    project.replace('assets/days.sql', 'count(*) AS days', 'count(*) AS days, sum(total) AS total')
    expect((await project.run()).code).toBe(0)
    edit(6)
    expect((await project.run('totals', '--no-publish')).finished).toMatchObject({ state: 'succeeded', built: 1 })
    const before = await release()
    const refused = await project.cli('publish', '@last', '--json')
    expect(refused.code).toBe(1)
    expect(refused.stdout).toContain('days was built from another version of totals')
    expect(await release()).toBe(before)
    expect(await project.json<Moved>('publish', '@last', '--allow-mixed')).toMatchObject({ moved: ['totals'] })
  })

  it('refuse what a check that was added since did not see', async () => {
    edit(7)
    expect((await project.run('--no-publish')).code).toBe(0)
    project.replace('assets/totals.sql', 'not_null(day)', "not_null(day), accepted_values(day, ['mon'])")
    const refused = await project.cli('publish', '@last', '--json')
    expect(refused.code).toBe(1)
    expect(refused.stdout).toContain('was not made yet')
    project.replace('assets/totals.sql', ", accepted_values(day, ['mon'])", '')
    expect((await project.json<Moved>('publish', '@last')).moved).toEqual(['days', 'totals'])
  })
})

describe('an exported file', () => {
  const project = new TestProject({
    'cellmill.config.ts': config,
    'data/orders.csv': 'day,total\nmon,1\n',
    'assets/totals.sql': totals,
    'assets/note.ts': note,
  })
  afterAll(() => project.remove())

  it('follows the pointers back', async () => {
    expect((await project.run()).code).toBe(0)
    project.write({ 'data/orders.csv': 'day,total\nmon,9\n' })
    expect((await project.run()).code).toBe(0)
    expect(project.read('out/note.txt')).toBe('mon 9\n')
    await project.json('rollback')
    expect(project.read('out/note.txt')).toBe('mon 1\n')
  })
})
