/** What every catalog keeps, as cases that an adapter's test runs one by one, each on a new catalog. */
import { claimCases } from './contract/claims.ts'
import { commitCases } from './contract/commits.ts'
import { runCases } from './contract/runs.ts'
import { releaseCases } from './contract/releases.ts'
import { retentionCases } from './contract/retention.ts'
import type { CatalogCase } from './contract/kit.ts'

export const catalogContract: readonly CatalogCase[] = [
  ...claimCases,
  ...commitCases,
  ...runCases,
  ...releaseCases,
  ...retentionCases,
]
