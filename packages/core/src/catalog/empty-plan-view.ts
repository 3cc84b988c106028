/** The read side of a catalog that does not exist yet: nothing was ever built, published or observed. */
import type { PlanView } from './catalog.ts'

export const emptyPlanView: PlanView = {
  environment: (name) => ({ name, release: 0, releasedAt: null, held: false, heldBundle: null }),
  pointers: () => new Map(),
  result: () => null,
  snapshot: () => null,
  hasRecipe: () => false,
  recipe: () => null,
  columnDigest: () => null,
  verdict: () => null,
  observation: () => null,
  lastStep: () => null,
  runningPids: () => [],
  close: () => {},
}
