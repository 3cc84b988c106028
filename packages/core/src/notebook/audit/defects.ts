/**
 * The catalogue of notebook defects: what `audit` prints and `cellmill explain N20` explains. Codes are permanent.
 * `basis` is how a defect is mainly computed: from the code, from the saved file, or from an observed run.
 */
import type { DefectLevel } from '../finding.ts'
import { formDefects } from './catalogue/form-defects.ts'
import { stateDefects } from './catalogue/state-defects.ts'
import { worldDefects } from './catalogue/world-defects.ts'

interface Entry {
  readonly level: DefectLevel
  readonly basis: 'static' | 'file' | 'run'
  readonly title: string
  /** What is wrong and why it matters. */
  readonly meaning: string
  readonly computed: string
  readonly fix: string
}

export interface Defect extends Entry {
  readonly code: string
  /** What it means, how it is found and what is done about it, in Markdown. */
  readonly explanation: string
}

export type DefectCode = keyof typeof stateDefects | keyof typeof worldDefects | keyof typeof formDefects

const LEVELS: Readonly<Record<DefectLevel, string>> = {
  E: 'Error: breaks the notebook or may change its results.',
  W: 'Warning: a risk.',
  I: 'Information.',
}

const entries: Readonly<Record<DefectCode, Entry>> = { ...stateDefects, ...worldDefects, ...formDefects }

function defectOf(code: DefectCode): Defect {
  const entry = entries[code]
  const explanation = `${entry.meaning}\n\nFound by: ${entry.computed}\n\nWhat is done: ${entry.fix}\n\n${LEVELS[entry.level]}`
  return { ...entry, code, explanation }
}

export const defectCodes: readonly DefectCode[] = (Object.keys(entries) as DefectCode[]).sort()

export const defects: Readonly<Record<DefectCode, Defect>> = Object.fromEntries(
  defectCodes.map((code) => [code, defectOf(code)]),
) as Record<DefectCode, Defect>
