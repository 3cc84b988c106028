/** A SQL step as an attempt: hands the query and its relations to the engine's worker and reports one table. */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { Json } from '../../canonical.ts'
import { isCellmillError } from '../../errors.ts'
import type { UserCodeError } from '../../errors.ts'
import type { Engine, RelationInput } from '../../engines/engine.ts'
import type { Runtime, StepInput, StepOutcome, StepWork } from '../runtime.ts'

/** What the step's file says, from discovery: the query's text and the macros in scope. */
export interface SqlText {
  readonly sql: string
  readonly macros: readonly string[]
  readonly unordered: boolean
  readonly canonicalOrder: boolean
  /** First line of the query in its file, 1-based, so that errors name the file's line. */
  readonly firstLine: number
}

export function sqlRuntime(engine: Engine, textOf: (step: string) => SqlText): Runtime {
  return {
    language: 'sql',
    run: (work, _log, signal) => runSql(engine, textOf(work.definition.id), work, signal),
    close: async () => {},
  }
}

async function runSql(engine: Engine, text: SqlText, work: StepWork, signal: AbortSignal): Promise<StepOutcome> {
  const { definition } = work
  const outputFolder = path.join(work.folder, 'outputs', '0')
  await mkdir(outputFolder, { recursive: true })
  const parameters = new Map<string, { readonly type: string; readonly value: Json }>(
    definition.parameters.map(({ name, type }) => [name, { type, value: work.parameters[name] ?? null }]),
  )
  for (const [name, value] of Object.entries(work.projectParameters)) {
    if (!parameters.has(name)) parameters.set(name, { type: work.projectParameterTypes[name] ?? 'str', value })
  }
  if (!parameters.has('run_time')) parameters.set('run_time', { type: 'datetime', value: work.runTime })
  const startedAt = performance.now()
  try {
    const { rows } = await engine.runSql(
      {
        sql: text.sql,
        macros: text.macros,
        inputs: work.inputs.map(relationOf),
        parameters: Object.fromEntries(parameters),
        threads: definition.options.threads,
        memoryBytes: definition.options.memoryBytes,
        canonicalOrder: text.canonicalOrder,
        unordered: text.unordered,
        outputFolder,
        timeoutMs: definition.options.timeoutMs,
      },
      signal,
    )
    return {
      state: 'succeeded',
      report: {
        outputs: [{ output: '', kind: 'table', codec: 'parquet', entry: '0', rows, summary: {} }],
        check: null,
        undeclared: [],
        randomState: null,
        drewRandom: false,
        warnings: [],
        userMs: performance.now() - startedAt,
        peakMemoryBytes: null,
      },
    }
  } catch (error) {
    if (signal.aborted) return { state: 'cancelled' }
    if (!isCellmillError(error)) throw error
    return { state: 'failed', error: queryError(error, text, work), retryable: error.retryable }
  }
}

export function relationOf(input: StepInput): RelationInput {
  const format = input.origin === 'asset' ? 'parquet' : formatOf(input)
  return {
    relation: input.argument,
    files: input.files.map((file) => path.join(input.folder, file)),
    format,
    options: input.options,
  }
}

function formatOf(input: StepInput): RelationInput['format'] {
  if (input.codec === 'csv' || input.codec === 'json' || input.codec === 'parquet') return input.codec
  const extension = path.extname(input.files[0] ?? '').toLowerCase()
  if (extension === '.parquet') return 'parquet'
  return extension === '.json' || extension === '.ndjson' || extension === '.jsonl' ? 'json' : 'csv'
}

function queryError(
  error: {
    readonly message: string
    readonly hint: string | undefined
    readonly details: Readonly<Record<string, unknown>>
  },
  text: SqlText,
  work: StepWork,
): UserCodeError {
  const line = typeof error.details['line'] === 'number' ? error.details['line'] : null
  const column = typeof error.details['column'] === 'number' ? error.details['column'] : null
  const kind = error.details['kind']
  const frame = {
    file: work.definition.file,
    line: line === null ? work.definition.place.line : text.firstLine + line - 1,
    column,
    endColumn: null,
    function: work.definition.id,
    lineText: line === null ? work.definition.place.lineText : (text.sql.split('\n')[line - 1] ?? ''),
    isProject: true,
    cell: null,
  }
  return {
    kind: kind === 'time-limit' || kind === 'out-of-memory' || kind === 'disk-full' ? kind : 'exception',
    type: typeof error.details['type'] === 'string' ? error.details['type'] : 'SQL error',
    message: error.message,
    frames: [frame],
    inputs: work.inputs.map((input) => input.argument),
    hint: error.hint ?? null,
  }
}
