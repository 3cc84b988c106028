/** One `-- @` line, with places in it. */
import type { Place } from '../../diagnostics.ts'

export interface Annotation {
  readonly name: string
  readonly rest: string
  /** Place of `length` characters from `start` in `rest`; of the word itself without a start. */
  at(start?: number, length?: number): Place
}
