/**
 * Reads what a TypeScript step left in `outputs/`. User code can write both files itself, so every member is checked and
 * bounded, and names of outputs and entries must be the ones that the definition gives.
 */
import path from 'node:path'
import type { Json } from '../../canonical.ts'
import type { FailureKind, UserCodeError, UserFrame } from '../../errors.ts'
import type { StepDefinition } from '../../model/project.ts'
import { isShallow, readLeftJson } from '../attempt/left-json.ts'
import type { ReadReport } from '../attempt/outcome.ts'
import type { StepOutputReport, StepReport, StepWork, UndeclaredRead } from '../runtime.ts'

type Record_ = Readonly<Record<string, unknown>>

export async function readStepReport(work: StepWork): Promise<ReadReport> {
  const value = await readLeftJson(path.join(work.folder, 'outputs', 'result.json'))
  if (!isRecord(value) || !Array.isArray(value['outputs'])) return { problem: 'its process ended before run returned' }
  const outputs = value['outputs'].map(outputOf)
  const problem = outputs.includes(null)
    ? 'its report is not in order'
    : outputsProblem(work.definition, outputs as readonly StepOutputReport[])
  if (problem !== null) return { problem }
  const check = checkOf(value['check'])
  if (work.definition.kind === 'check' && check === null) return { problem: 'the check gave no verdict' }
  const undeclared = listOf(value['undeclared'])
    .flatMap((seen) => undeclaredOf(seen) ?? [])
    .slice(0, 1000)
  return {
    report: {
      outputs: outputs as readonly StepOutputReport[],
      check,
      undeclared,
      randomState: null,
      drewRandom: value['drewRandom'] === true,
      warnings: [],
      userMs: numberOf(value['userMs']) ?? 0,
      peakMemoryBytes: numberOf(value['peakMemoryBytes']),
    },
  }
}

/** Null when the process left no account of a failure. */
export async function readStepError(work: StepWork): Promise<UserCodeError | null> {
  const value = await readLeftJson(path.join(work.folder, 'outputs', 'error.json'))
  const error = isRecord(value) ? value['error'] : null
  if (!isRecord(error) || typeof error['message'] !== 'string') return null
  // Kinds that only the parent can tell are not taken from the process.
  const kinds: readonly FailureKind[] = ['exception', 'contract', 'disk-full']
  return {
    kind: kinds.find((kind) => kind === error['kind']) ?? 'exception',
    type: textOf(error['type'], 300),
    message: textOf(error['message'], 4000),
    frames: listOf(error['frames'])
      .flatMap((frame) => frameOf(frame) ?? [])
      .slice(0, 100),
    inputs: listOf(error['inputs'])
      .map((line) => textOf(line, 2000))
      .slice(0, 1000),
    hint: typeof error['hint'] === 'string' ? error['hint'].slice(0, 1000) : null,
  }
}

const codecs: Readonly<Record<string, StepOutputReport['codec']>> = {
  table: 'parquet',
  object: 'json',
  file: 'file',
  report: 'report',
}

function outputOf(value: unknown): StepOutputReport | null {
  if (!isRecord(value)) return null
  const { output, kind, codec, entry, rows, summary } = value
  if (typeof output !== 'string' || typeof kind !== 'string' || typeof entry !== 'string') return null
  if (!Object.hasOwn(codecs, kind) || codecs[kind] !== codec) return null
  return {
    output,
    kind: kind as StepOutputReport['kind'],
    codec: codecs[kind]!,
    entry,
    rows: numberOf(rows),
    summary: isRecord(summary) && isShallow(summary) ? (summary as Readonly<Record<string, Json>>) : {},
  }
}

function outputsProblem(definition: StepDefinition, outputs: readonly StepOutputReport[]): string | null {
  const declared = definition.kind === 'asset' || definition.kind === 'report' ? definition.outputs : []
  if (outputs.length !== declared.length) return `it reported ${outputs.length} outputs and declares ${declared.length}`
  for (const [i, { output, kind, kindDeclared }] of declared.entries()) {
    const left = outputs[i]!
    if (left.output !== output || left.entry !== `${i}.${left.codec}`) return `it reported no output '${output}'`
    if (kindDeclared ? left.kind !== kind : left.kind === 'report')
      return `the output '${output}' is a ${left.kind}, and a ${kind} is declared`
  }
  return null
}

function checkOf(value: unknown): StepReport['check'] {
  if (!isRecord(value) || typeof value['passed'] !== 'boolean') return null
  return { passed: value['passed'], message: textOf(value['message'], 1000), failedRows: numberOf(value['failedRows']) }
}

function undeclaredOf(value: unknown): UndeclaredRead | null {
  if (!isRecord(value)) return null
  const kinds: readonly UndeclaredRead['kind'][] = ['file', 'network', 'process', 'clock', 'random', 'environment']
  const kind = kinds.find((known) => known === value['kind'])
  return kind === undefined ? null : { kind, what: textOf(value['what'], 300), where: textOf(value['where'], 300) }
}

function frameOf(value: unknown): UserFrame | null {
  if (!isRecord(value)) return null
  return {
    file: textOf(value['file'], 1000),
    line: numberOf(value['line']) ?? 1,
    column: numberOf(value['column']),
    endColumn: numberOf(value['endColumn']),
    function: textOf(value['function'], 300),
    lineText: textOf(value['lineText'], 500),
    isProject: value['isProject'] === true,
    cell: null,
  }
}

function isRecord(value: unknown): value is Record_ {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textOf(value: unknown, most: number): string {
  return typeof value === 'string' ? value.slice(0, most) : ''
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null
}
