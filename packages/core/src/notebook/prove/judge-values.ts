/**
 * From digests to verdicts, one for every name alive at the notebook's end. Pure. Digests are of canonical encodings, so
 * equal digests are equal values; a missing digest is never taken for an equal one.
 */
import type { Graduation, GraduatedStep } from '../graduation.ts'
import type { Observation, ObservedValue } from '../observation.ts'
import type { Difference, Differences } from './explain-differences.ts'
import type { ProvenValue } from './proof.ts'

/** A value as some run had it. */
export interface SeenValue {
  readonly digest: string | null
  readonly problem: string | null
}

export interface ValueEvidence {
  /** R1, instrumented: values after each cell and at the end. */
  readonly reference: Observation
  /** R2: values at the end under a step's canonical conditions. */
  readonly second: Observation
  readonly graduation: Graduation
  /** S: outputs of each step replayed alone, by step then variable. */
  readonly replayed: ReadonlyMap<string, ReadonlyMap<string, SeenValue>>
  /** S: what the step's own variables held when it returned. */
  readonly locals: ReadonlyMap<string, ReadonlyMap<string, SeenValue>>
  /** P1: values of assets as a reader gets them, by asset then variable. */
  readonly pipeline: ReadonlyMap<string, ReadonlyMap<string, SeenValue>>
  /** Functions, classes and parameters of the written module, by the notebook's name. */
  readonly moduleNames: ReadonlyMap<string, SeenValue>
  readonly accepted: ReadonlyMap<string, string>
  /** What differs in values that a replay did not bring back. */
  readonly differences: Differences
}

export function judgeValues(evidence: ValueEvidence): readonly ProvenValue[] {
  const values: ProvenValue[] = []
  const finals = new Map(evidence.reference.final.map((value) => [value.name, value]))
  for (const value of evidence.reference.final) values.push(judgeFinal(evidence, value))
  for (const step of evidence.graduation.steps) {
    for (const output of step.outputs) {
      if (output.kind === 'report' || output.kind === 'effect' || output.kind === 'file') continue
      for (const variable of output.variables) {
        const observed = valueAfter(evidence.reference, variable, output.afterCell)
        const isFinal =
          observed !== null &&
          finals.get(variable)?.digest === observed.digest &&
          holderOf(evidence.graduation, variable)?.asset === output.asset
        if (!isFinal)
          values.push(judgeHeld(evidence, step, { asset: output.asset, variable, observed, cell: output.afterCell }))
      }
    }
  }
  return values
}

interface Held {
  readonly asset: string
  readonly variable: string
  readonly observed: ObservedValue | null
  readonly cell: number
}

/** The last version of a variable that an asset holds. */
function holderOf(
  graduation: Graduation,
  variable: string,
): { readonly step: GraduatedStep; readonly asset: string; readonly cell: number } | null {
  let found: { step: GraduatedStep; asset: string; cell: number } | null = null
  for (const step of graduation.steps) {
    for (const output of step.outputs) {
      if (output.variables.includes(variable) && output.kind !== 'report')
        found = { step, asset: output.asset, cell: output.afterCell }
    }
  }
  return found
}

/** What R1 saw of a name once a cell had run: in that cell, or in the last one before it that changed the name. */
export function valueAfter(observation: Observation, name: string, cell: number): ObservedValue | null {
  const position = observation.order.indexOf(cell)
  for (let i = position; i >= 0; i--) {
    const seen = observation.cells.find(({ index }) => index === observation.order[i])
    const value = seen?.values.find((candidate) => candidate.name === name)
    if (value !== undefined) return value
  }
  return null
}

function judgeFinal(evidence: ValueEvidence, value: ObservedValue): ProvenValue {
  const { graduation } = evidence
  const cell = lastCellOf(evidence.reference, value.name)
  const common = { variable: value.name, cell, kind: value.type }
  if (value.kind === 'module') {
    return {
      ...common,
      asset: null,
      within: null,
      level: 'shape-only',
      verdict: 'equal',
      cause: null,
      rule: 'a module, imported by the steps that use it',
      evidence: '',
    }
  }
  const holder = holderOf(graduation, value.name)
  if (holder !== null && sameAsFinal(evidence, value, holder.cell)) {
    return judgeHeld(evidence, holder.step, {
      asset: holder.asset,
      variable: value.name,
      observed: value,
      cell: holder.cell,
    })
  }
  const inModule = evidence.moduleNames.get(value.name)
  if (inModule !== undefined) {
    const verdict = compare(value, inModule)
    return {
      ...common,
      asset: null,
      within: null,
      level: 'replayed',
      verdict,
      cause: causeOf(value, inModule),
      rule: 'in the module, by code and value',
      evidence: short(inModule.digest),
    }
  }
  for (const step of graduation.steps) {
    const local = evidence.locals.get(step.name)?.get(value.name)
    if (local === undefined || !step.locals.includes(value.name)) continue
    const compared = compare(value, local)
    const difference = evidence.differences.get(step.name)?.get(value.name)
    const excused = step.readsClock === true || difference?.unsteady === true
    const verdict = isExact(difference) ? 'stochastic' : excused ? withNoise(evidence, value, compared) : compared
    return {
      ...common,
      asset: null,
      within: step.name,
      level: 'replayed',
      verdict,
      cause: difference === undefined ? causeOf(value, local) : whyUnsteadyOrWrong(difference),
      rule: 'a local of its step, when that returned',
      evidence: short(local.digest),
    }
  }
  const unheld = graduation.unheld.find(({ variable }) => variable === value.name)
  const dropped = unheld !== undefined && unheld.why.startsWith('dropped')
  return {
    ...common,
    asset: null,
    within: null,
    level: 'shape-only',
    verdict: dropped ? 'equal' : 'uncompared',
    cause: dropped ? null : (unheld?.why ?? 'no asset, step or definition holds it'),
    rule: dropped ? unheld.why : 'nothing to compare it with',
    evidence: '',
  }
}

/** True when the version that the asset holds is the one alive at the end. */
function sameAsFinal(evidence: ValueEvidence, value: ObservedValue, cell: number): boolean {
  const held = valueAfter(evidence.reference, value.name, cell)
  return held !== null && held.digest === value.digest
}

function judgeHeld(evidence: ValueEvidence, step: GraduatedStep, held: Held): ProvenValue {
  const common = {
    variable: held.variable,
    asset: held.asset,
    within: null,
    cell: held.cell,
    kind: held.observed?.type ?? 'unknown',
  }
  const accepted = evidence.accepted.get(held.asset)
  if (held.observed === null) {
    return {
      ...common,
      level: 'shape-only',
      verdict: 'missing',
      cause: 'the notebook never had this value',
      rule: '',
      evidence: '',
    }
  }
  const replayed = evidence.replayed.get(step.name)?.get(held.variable)
  const built = evidence.pipeline.get(held.asset)?.get(held.variable)
  if (built === undefined || replayed === undefined) {
    const cause = built === undefined ? 'the pipeline did not build it' : 'its step could not be replayed'
    return { ...common, level: 'shape-only', verdict: 'missing', cause, rule: '', evidence: '' }
  }
  const alone = compare(held.observed, replayed)
  const endToEnd = compare(held.observed, built)
  if (alone === 'equal' && endToEnd === 'equal') {
    return {
      ...common,
      level: 'end-to-end',
      verdict: 'equal',
      cause: null,
      rule: 'canonical encoding',
      evidence: short(built.digest),
    }
  }
  if (accepted !== undefined)
    return {
      ...common,
      level: 'end-to-end',
      verdict: 'accepted',
      cause: accepted,
      rule: 'accepted by hand',
      evidence: short(built.digest),
    }
  const observed = held.observed
  return { ...common, ...judgeDiffering(evidence, step, { ...held, observed, replayed, built }) }
}

interface Differing extends Held {
  readonly observed: ObservedValue
  readonly replayed: SeenValue
  readonly built: SeenValue
}

type Judgement = Pick<ProvenValue, 'level' | 'verdict' | 'cause' | 'rule' | 'evidence'>

/** Equal at most in one of the two ways: what the notebook itself does not give twice is excused, nothing else. */
function judgeDiffering(evidence: ValueEvidence, step: GraduatedStep, differing: Differing): Judgement {
  const { variable, observed, replayed, built } = differing
  const alone = compare(observed, replayed)
  const noisy = isNoisy(evidence, variable)
  const stochastic = { level: 'replayed', verdict: 'stochastic', evidence: short(replayed.digest) } as const
  if (alone === 'equal' && noisy) {
    const second = evidence.second.final.find(({ name }) => name === variable)?.digest
    const cause =
      second === built.digest
        ? "under a step's conditions (one thread, UTC) the notebook itself gives another value, and the pipeline gives that one"
        : 'the notebook itself gives another value in a second run'
    return { ...stochastic, cause, rule: 'equal when replayed with the recorded generators' }
  }
  const difference = evidence.differences.get(step.name)?.get(variable)
  // A second run says nothing of a value that was overwritten; two replays from one state do.
  const wavers =
    noisy ||
    isExact(difference) ||
    evidence.reference.final.find(({ name }) => name === variable)?.digest !== observed.digest
  if (alone === 'different' && wavers && difference?.unsteady === true) {
    const cause = whyUnsteady(difference)
    return { ...stochastic, cause, rule: 'all other parts equal when replayed with the recorded generators' }
  }
  const plain = causeOf(observed, alone === 'equal' ? built : replayed)
  return {
    level: alone === 'equal' ? 'end-to-end' : 'replayed',
    verdict: alone === 'equal' ? compare(observed, built) : alone,
    cause: alone === 'different' && difference !== undefined ? `the values differ in ${inWords(difference)}` : plain,
    rule: 'canonical encoding',
    evidence: `${short(observed.digest)} against ${short(built.digest)}`,
  }
}

/** A replay gave the notebook's value to the last bit, so the step is right; another one did not. */
function isExact(difference: Difference | undefined): boolean {
  return difference?.unsteady === true && difference.differing === 0
}

function whyUnsteadyOrWrong(difference: Difference): string {
  return difference.unsteady ? whyUnsteady(difference) : `the values differ in ${inWords(difference)}`
}

function whyUnsteady(difference: Difference): string {
  if (difference.differing === 0) return 'of replays from one state, one gives it exactly and another does not'
  return `${inWords(difference)} differ even when the step runs twice from one state`
}

function inWords({ differing, parts, examples }: Difference): string {
  const more = differing > examples.length ? ', ...' : ''
  return `${differing} of ${parts} parts (${examples.join(', ')}${more})`
}

function compare(reference: ObservedValue, seen: SeenValue): 'equal' | 'different' | 'uncompared' {
  if (reference.digest === null || seen.digest === null) return 'uncompared'
  return reference.digest === seen.digest ? 'equal' : 'different'
}

function causeOf(reference: ObservedValue, seen: SeenValue): string | null {
  if (reference.digest === null) return reference.problem
  if (seen.digest === null) return seen.problem
  return reference.digest === seen.digest ? null : 'the values differ'
}

function isNoisy(evidence: ValueEvidence, variable: string): boolean {
  const first = evidence.reference.final.find(({ name }) => name === variable)
  const second = evidence.second.final.find(({ name }) => name === variable)
  return first !== undefined && second !== undefined && first.digest !== second.digest
}

/** Only for what a replay cannot bring back: elsewhere a replay has no excuse to differ. */
function withNoise(
  evidence: ValueEvidence,
  value: ObservedValue,
  verdict: 'equal' | 'different' | 'uncompared',
): ProvenValue['verdict'] {
  return verdict === 'different' && isNoisy(evidence, value.name) ? 'stochastic' : verdict
}

function lastCellOf(observation: Observation, name: string): number {
  for (const index of [...observation.order].reverse()) {
    const cell = observation.cells.find((candidate) => candidate.index === index)
    if (cell !== undefined && (cell.bound.includes(name) || cell.mutated.includes(name))) return index
  }
  return -1
}

function short(digest: string | null): string {
  return digest === null ? 'no digest' : digest.slice(0, 12)
}
