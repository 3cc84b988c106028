/**
 * One verdict for every output of every cell: what the notebook showed against what the pipeline's reports show and its
 * steps print, by the cell that the line map gives. Pure.
 */
import { sha256 } from '../../canonical.ts'
import type { GraduatedStep } from '../graduation.ts'
import type { Observation, ObservedOutput } from '../observation.ts'
import { isArtistText } from '../observe/artist-text.ts'
import { normaliseText } from '../observe/normalise-text.ts'
import { isInterleaved } from './interleaved-text.ts'
import type { ProvenOutput } from './proof.ts'
import type { ShownPart } from './shown.ts'

export interface OutputEvidence {
  readonly reference: Observation
  readonly second: Observation
  readonly steps: readonly GraduatedStep[]
  /** Parts of each report as the pipeline built it, by step. */
  readonly shown: ReadonlyMap<string, readonly ShownPart[]>
  /** What each step printed when replayed. */
  readonly printed: ReadonlyMap<string, string>
}

export function judgeOutputs(evidence: OutputEvidence): readonly ProvenOutput[] {
  const shown = new ShownByCell(evidence)
  const outputs: ProvenOutput[] = []
  for (const cell of evidence.reference.cells) {
    cell.outputs.forEach((output, i) => outputs.push(judge(evidence, shown, { cell: cell.index, output, position: i })))
  }
  return outputs
}

interface Judged {
  readonly cell: number
  readonly output: ObservedOutput
  readonly position: number
}

function judge(evidence: OutputEvidence, shown: ShownByCell, { cell, output, position }: Judged): ProvenOutput {
  const common = { cell, kind: kindOf(output) }
  const evidenceText = firstLine(output.preview)
  if (output.kind === 'stderr')
    return { ...common, verdict: 'equal', evidence: 'warnings are not results; the log of the step has them' }
  if (output.kind === 'error') return { ...common, verdict: 'equal', evidence: `expected: ${evidenceText}` }
  if (output.digest === '') return { ...common, verdict: 'uncompared', evidence: output.problem ?? '' }
  const lasting = withoutTimings(output)
  if (lasting?.preview === '') return { ...common, verdict: 'equal', evidence: 'how long it took, which is no result' }
  if (shown.take(cell, lasting ?? output)) return { ...common, verdict: 'equal', evidence: evidenceText }
  if (hasFigure(evidence.reference, cell) && isArtistText(output.preview))
    return { ...common, verdict: 'equal', evidence: 'the text of a part of the figure, which is compared itself' }
  if (shown.has(cell) && isNoisy(evidence.second, cell, position, output)) {
    return { ...common, verdict: 'stochastic', evidence: 'the notebook itself shows something else in a second run' }
  }
  const verdict = shown.has(cell) ? 'different' : 'missing'
  return { ...common, verdict, evidence: evidenceText }
}

/** What `%%time` says of a cell nothing in the pipeline says; null where there is none of it, or where the text is cut. */
function withoutTimings(output: ObservedOutput): ObservedOutput | null {
  if (output.kind !== 'stdout' || sha256(output.preview) !== output.digest) return null
  const lines = output.preview.split('\n')
  const kept = lines.filter((line) => !/^(CPU times: …|Wall time: …|<timing>)$/u.test(line))
  if (kept.length === lines.length) return null
  const preview = kept.join('\n').trimEnd()
  return { ...output, preview, digest: sha256(preview) }
}

function hasFigure(reference: Observation, cell: number): boolean {
  return reference.cells.some(({ index, outputs }) => index === cell && outputs.some(({ kind }) => kind === 'figure'))
}

function isNoisy(second: Observation, cell: number, position: number, output: ObservedOutput): boolean {
  const again = second.cells.find(({ index }) => index === cell)?.outputs[position]
  return again !== undefined && again.kind === output.kind && again.digest !== output.digest
}

/** What the pipeline shows for a cell; each part answers for one output. */
class ShownByCell {
  readonly #parts: Map<number, ShownPart[]> = new Map()
  readonly #printed: Map<number, string> = new Map()

  constructor(evidence: OutputEvidence) {
    const modules = moduleNames(evidence.steps)
    for (const parts of evidence.shown.values()) {
      for (const found of parts) {
        const { cell } = found
        if (cell === null) continue
        const part = { ...found, text: asInNotebook(found.text, modules), html: asInNotebook(found.html, modules) }
        const known = this.#parts.get(cell)
        if (known === undefined) this.#parts.set(cell, [part])
        else known.push(part)
      }
    }
    for (const step of evidence.steps) {
      const text = evidence.printed.get(step.name)
      if (step.kind === 'report' || text === undefined) continue
      for (const cell of step.cells) this.#printed.set(cell, (this.#printed.get(cell) ?? '') + text)
    }
  }

  has(cell: number): boolean {
    return (this.#parts.get(cell)?.length ?? 0) > 0 || (this.#printed.get(cell) ?? '') !== ''
  }

  take(cell: number, output: ObservedOutput): boolean {
    const parts = this.#parts.get(cell) ?? []
    const found = parts.findIndex((part) => matches(part, output))
    if (found >= 0) {
      parts.splice(found, 1)
      return true
    }
    if (output.kind === 'stdout' && this.#takeTogether(parts, output)) return true
    const printed = this.#printed.get(cell)
    if (printed === undefined || (output.kind !== 'stdout' && output.kind !== 'text')) return false
    return printedHolds(printed, output)
  }

  /** All that the pipeline prints for the cell, in several steps. */
  #takeTogether(parts: ShownPart[], output: ObservedOutput): boolean {
    if (sha256(output.preview) !== output.digest) return false
    const printed = parts.filter(({ digest, text, html }) => digest === null && text !== null && html === null)
    const texts = printed.map(({ text }) => normaliseText(text ?? '').text)
    if (!isInterleaved(output.preview, texts)) return false
    for (const part of printed) parts.splice(parts.indexOf(part), 1)
    return true
  }
}

/** `assets/shop/trap.py` to `assets.shop.trap`. */
function moduleNames(steps: readonly GraduatedStep[]): readonly string[] {
  return [...new Set(steps.map(({ file }) => file.replace(/\.py$/, '').replaceAll('/', '.')))]
}

/** What the notebook defined says `__main__`; in the pipeline the module says its own name, or that of a step. */
function asInNotebook(text: string | null, modules: readonly string[]): string | null {
  if (text === null) return null
  let result = text
  for (const name of modules) {
    const pattern = new RegExp(`(?<![\\w.])${name.replaceAll('.', '\\.')}\\.(?:\\w+\\.<locals>\\.)?`, 'g')
    result = result.replace(pattern, '__main__.')
  }
  return result
}

function matches(part: ShownPart, output: ObservedOutput): boolean {
  switch (output.kind) {
    case 'figure':
      return part.type === 'figure' && part.digest === output.digest
    case 'html':
      return part.html !== null && sha256(normaliseText(part.html, {}, true).text) === output.digest
    case 'stdout':
    case 'text':
      return part.text !== null && sha256(normaliseText(part.text).text) === output.digest
    case 'stderr':
    case 'image':
    case 'json':
    case 'error':
    case 'other':
      return false
  }
}

/** The text stands as whole lines in what the step printed. */
function printedHolds(printed: string, output: ObservedOutput): boolean {
  const lines = normaliseText(printed).text.split('\n')
  const wanted = output.preview.split('\n').length
  for (let from = 0; from + wanted <= lines.length; from++) {
    if (
      sha256(
        lines
          .slice(from, from + wanted)
          .join('\n')
          .replace(/\s+$/, ''),
      ) === output.digest
    )
      return true
  }
  return false
}

function kindOf(output: ObservedOutput): string {
  if (output.kind === 'html') return output.preview.includes('<table') ? 'table' : 'html'
  return output.kind === 'stdout' ? 'text' : output.kind
}

function firstLine(text: string): string {
  return (text.split('\n').find((line) => line.trim() !== '') ?? '').slice(0, 120)
}
