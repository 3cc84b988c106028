/** What every sandbox keeps, as cases that each adapter's test runs one by one; `walls` are those that `none` does not have. */
import type { SandboxCase } from './contract-kit.ts'
import { lifeCases } from './contract-life.ts'
import { wallCases } from './contract-walls.ts'

export const sandboxContract: { readonly life: readonly SandboxCase[]; readonly walls: readonly SandboxCase[] } = {
  life: lifeCases,
  walls: wallCases,
}
