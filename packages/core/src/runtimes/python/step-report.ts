/**
 * Reads what a step's process left in `outputs/`: StepReport or UserCodeError. User code can write both files itself, so
 * every member is checked and bounded; names of outputs and entries must be the ones that the definition gives.
 */
import path from 'node:path'
import { z } from 'zod'
import type { Json } from '../../canonical.ts'
import type { UserCodeError } from '../../errors.ts'
import type { OutputDefinition, StepDefinition } from '../../model/project.ts'
import { isShallow, readLeftJson } from '../attempt/left-json.ts'
import type { ReadReport } from '../attempt/outcome.ts'
import type { StepOutputReport, StepReport, StepWork } from '../runtime.ts'

const text = (max: number): z.ZodType<string> => z.string().transform((value) => value.slice(0, max))
const count = z.int().min(0)

const json = z.custom<Json>((value) => isShallow(value), 'is nested too deeply')

const outputSchema: z.ZodType<StepOutputReport> = z.object({
  output: z.string(),
  kind: z.enum(['table', 'object', 'file', 'report', 'effect']),
  codec: z.enum(['parquet', 'pickle', 'file', 'report', 'json']),
  entry: z.string().regex(/^\d{1,4}\.(parquet|pickle|file|report|json)$/),
  rows: count.nullable(),
  summary: z.record(z.string(), json),
})

const undeclaredSchema = z.object({
  kind: z.enum(['file', 'network', 'process', 'clock', 'random', 'environment']),
  what: text(300),
  where: text(300),
})

const reportSchema: z.ZodType<StepReport> = z.object({
  outputs: z.array(outputSchema).max(10_000),
  check: z.object({ passed: z.boolean(), message: text(1000), failedRows: count.nullable() }).nullable(),
  undeclared: z.array(undeclaredSchema).max(1000),
  randomState: z.literal('random.pickle').nullable(),
  drewRandom: z.boolean(),
  warnings: z.array(text(1000)).max(1000),
  userMs: z.number().min(0),
  peakMemoryBytes: count.nullable(),
  locals: z
    .record(z.string().max(300), z.object({ digest: z.string().max(64).nullable(), problem: text(2000).nullable() }))
    .exactOptional(),
})

const frameSchema = z.object({
  file: text(1000),
  line: count,
  column: count.nullable(),
  endColumn: count.nullable(),
  function: text(300),
  lineText: text(500),
  isProject: z.boolean(),
  cell: count.nullable(),
})

/** Kinds that only the parent can tell are not taken from the process. */
const errorSchema: z.ZodType<UserCodeError> = z.object({
  kind: z.enum(['exception', 'exit-code', 'out-of-memory', 'disk-full', 'contract', 'packages']),
  type: text(300),
  message: text(4000),
  frames: z.array(frameSchema).max(100),
  inputs: z.array(text(2000)).max(1000),
  hint: text(1000).nullable(),
})

export async function readStepReport(work: StepWork): Promise<ReadReport> {
  const value = await readLeftJson(path.join(work.folder, 'outputs', 'result.json'))
  if (value === undefined) return { problem: 'its process ended before the function returned' }
  const parsed = reportSchema.safeParse(value)
  if (!parsed.success) return { problem: `its report is not in order (${firstIssue(parsed.error)})` }
  const problem = outputsProblem(work.definition, parsed.data.outputs)
  if (problem !== null) return { problem }
  if (work.definition.kind === 'check' && parsed.data.check === null) return { problem: 'the check gave no verdict' }
  const undeclared = parsed.data.undeclared.filter((seen) => !isDeclaredHost(work.definition, seen))
  return { report: { ...parsed.data, undeclared } }
}

/** Null when the process left no account of a failure. */
export async function readStepError(work: StepWork): Promise<UserCodeError | null> {
  const value = await readLeftJson(path.join(work.folder, 'outputs', 'error.json'))
  const parsed = z.object({ error: errorSchema }).safeParse(value)
  return parsed.success ? parsed.data.error : null
}

const codecs: Readonly<Record<StepOutputReport['kind'], readonly string[]>> = {
  table: ['parquet'],
  object: ['pickle'],
  file: ['file'],
  report: ['report'],
  effect: [],
}

function outputsProblem(definition: StepDefinition, outputs: readonly StepOutputReport[]): string | null {
  for (const output of outputs) {
    if (!codecs[output.kind].includes(output.codec) || !output.entry.endsWith(`.${output.codec}`)) {
      return `the output '${output.output}' is a ${output.kind} kept as ${output.entry}`
    }
  }
  if (definition.kind === 'check') return outputs.length <= 1 ? null : 'a check has at most one output, its evidence'
  if (definition.kind === 'effect') return outputs.length === 0 ? null : 'an effect has no outputs'
  const declared: readonly Pick<OutputDefinition, 'output' | 'kind' | 'kindDeclared'>[] =
    definition.kind === 'report' && definition.outputs.length === 0
      ? [{ output: '', kind: 'report', kindDeclared: true }]
      : definition.outputs
  if (outputs.length !== declared.length) return `it reported ${outputs.length} outputs and declares ${declared.length}`
  for (const [i, { output, kind, kindDeclared }] of declared.entries()) {
    const left = outputs[i]!
    if (left.output !== output || left.entry !== `${i}.${left.codec}`) return `it reported no output '${output}'`
    const isAsDeclared =
      kindDeclared || definition.kind === 'report'
        ? left.kind === kind
        : left.kind === 'table' || left.kind === 'object'
    if (!isAsDeclared) return `the output '${output}' is a ${left.kind}, and a ${kind} is declared`
  }
  return null
}

/** With hosts declared, lookups of these hosts and the connections that follow are no longer undeclared. */
function isDeclaredHost(definition: StepDefinition, seen: StepReport['undeclared'][number]): boolean {
  if (seen.kind !== 'network' || definition.options.network.length === 0) return false
  return definition.options.network.includes(seen.what) || /^[\d.:a-f]+:\d+$/.test(seen.what)
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues
  return issue === undefined ? 'unknown' : `${issue.path.map(String).join('.')}: ${issue.message}`
}
