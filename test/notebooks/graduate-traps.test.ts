/**
 * Notebooks with traps through `cellmill graduate`: proven and truly equal, or refused or not proven for a reason that is
 * right. Never a stored value that is not the notebook's. By default a handful that the commit chooses; all of them under
 * CELLMILL_FULL=1, and those whose name holds CELLMILL_CASE.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { graduateCase, isExpected } from './graduate-case.ts'
import type { GraduateCase } from './graduate-case.ts'
import { graduateCases } from './graduate-cases.ts'
import { hostileCases } from './graduate-cases-hostile.ts'
import { sqlCases } from './graduate-cases-sql.ts'

interface Trap {
  readonly name: string
  readonly expect?: string
  readonly case: { readonly cells: readonly string[]; readonly files?: Readonly<Record<string, string>> }
}

const trapsFile = new URL('../../packages/core/src/notebook/graduate/testing/traps.json', import.meta.url)
const traps = JSON.parse(readFileSync(trapsFile, 'utf8')) as readonly Trap[]

/** Whatever a trap's conversion alone should end as, a whole graduation may also say that it proved nothing. */
const converted = traps
  .filter(({ expect: wanted, case: one }) => wanted === undefined && one.files === undefined)
  .map(({ name, case: { cells } }): GraduateCase => ({
    name: `conversion: ${name}`,
    cells,
    expect: ['proven', 'proven-except-stochastic', 'not-proven'],
  }))
const all = [...graduateCases, ...hostileCases, ...sqlCases, ...converted]
const fewest = 6

function chosen(): readonly GraduateCase[] {
  const named = process.env['CELLMILL_CASE']
  if (named !== undefined) return all.filter(({ name }) => name.includes(named))
  if (process.env['CELLMILL_FULL'] === '1') return all
  const start = Number.parseInt(commit().slice(0, 8), 16) % all.length
  const step = Math.floor(all.length / fewest)
  return Array.from({ length: fewest }, (_, i) => all[(start + i * step) % all.length]!)
}

/** Another handful with each commit, the same one for everybody who has it. */
function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return '0'
  }
}

describe('graduate', () => {
  it.each(chosen().map((one) => [one.name, one] as const))('%s', { timeout: 600_000 }, async (_name, one) => {
    const outcome = await graduateCase(one)
    const told = JSON.stringify({ ...outcome, text: undefined, expected: one.expect }, null, 1)
    expect(isExpected(one, outcome), `${told}\n${outcome.text}`).toBe(true)
  })
})
