/** What holds for a step that says nothing, in every language. */
import type { StepOptions } from './project.ts'

export const defaultOptions: StepOptions = {
  refresh: null,
  random: 'seeded',
  afterRandom: null,
  exact: true,
  threads: 1,
  retries: 0,
  timeoutMs: null,
  memoryBytes: null,
  network: [],
  secrets: [],
  engine: 'duckdb',
  export: null,
  tags: [],
  owner: null,
}
