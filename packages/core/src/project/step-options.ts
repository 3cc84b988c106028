/** Defaults of a step's options, and their checks, the same for every language. */
import type { StepOptions } from '../model/project.ts'

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

/** A name that all languages and SQL can write without quotes. */
export const plainName: RegExp = /^[A-Za-z_]\w*$/
