/**
 * The step's own process: reads one request line from stdin, imports the step's module and nothing else of the project,
 * runs it, and leaves outputs with `result.json` written last, or `error.json`. It is not trusted by who started it.
 */
import { createInterface } from 'node:readline'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { DuckDBConnection } from '@duckdb/node-api'
import { readInputs } from './read-inputs.ts'
import type { StepRequest } from './request.ts'
import { StepProblem } from './step-problem.ts'
import { accountOf } from './user-error.ts'
import { prepareWorld } from './world.ts'
import type { World } from './world.ts'
import { writeOutputs } from './write-outputs.ts'
import type { WrittenOutput } from './write-outputs.ts'

const monotonic = performance.now.bind(performance)

const line = await new Promise<string>((resolve) => {
  const reader = createInterface({ input: process.stdin })
  reader.once('line', (text) => {
    resolve(text)
    reader.close()
    process.stdin.destroy()
  })
})
const request = JSON.parse(line) as StepRequest
const described: string[] = []
const fail = (thrown: unknown): never => {
  writeFileSync(
    path.join(request.outputFolder, 'error.json'),
    JSON.stringify({ error: accountOf(thrown, request.codeRoot, described) }),
  )
  process.exit(1)
}
process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)
process.on('exit', () => {
  if (!finished.done && process.exitCode === 13) {
    const error = new StepProblem(
      'run never came to an end: it waits for something that cannot happen',
      'await what run starts, and resolve every promise it returns',
    )
    writeFileSync(
      path.join(request.outputFolder, 'error.json'),
      JSON.stringify({ error: accountOf(error, request.codeRoot, described) }),
    )
  }
})
const finished = { done: false }

try {
  const connection: { open: Promise<DuckDBConnection> | null } = { open: null }
  const connect = (): Promise<DuckDBConnection> => (connection.open ??= openDuckDb(request))
  const world = prepareWorld(request)
  const inputs = await readInputs(request.inputs, connect)
  described.push(...inputs.described)
  const startedMs = monotonic()
  const step = await stepOf(request)
  const returned: unknown = await step.run(argumentsOf(request, inputs.values, step.params, world))
  const userMs = monotonic() - startedMs
  const outputs = await writeOutputs(request, returned, connect)
  const check = request.kind === 'check' ? verdictOf(returned) : null
  writeFileSync(
    path.join(request.outputFolder, 'result.json'),
    JSON.stringify(reportOf(outputs, { check, world, userMs })),
  )
  finished.done = true
  process.exit(0)
} catch (thrown) {
  fail(thrown)
}

interface Step {
  readonly params: Readonly<Record<string, unknown>>
  readonly run: (argument: unknown) => unknown
}

async function stepOf({ module, symbol, kind }: StepRequest): Promise<Step> {
  const exported = (await import(pathToFileURL(module).href)) as Readonly<Record<string, unknown>>
  const step = exported[symbol] as Partial<Step> | undefined
  if (typeof step?.run !== 'function') {
    throw new StepProblem(`'${symbol}' is not a ${kind} when its module has run`, 'do not assign it again')
  }
  return { params: step.params ?? {}, run: step.run }
}

function argumentsOf(
  request: StepRequest,
  inputs: Readonly<Record<string, unknown>>,
  params: Step['params'],
  world: World,
): unknown {
  const values: Record<string, unknown> = { ...request.parameters }
  for (const [name, param] of Object.entries(params)) {
    const project = (param as { readonly project?: unknown }).project
    if (typeof project === 'string') values[name] = request.projectParameters[project]
  }
  return {
    ...inputs,
    params: values,
    runTime: new Date(request.runTime),
    random: world.random,
    secrets: request.secrets,
    idempotencyKey: request.idempotencyKey,
  }
}

async function openDuckDb({ workFolder, threads }: StepRequest): Promise<DuckDBConnection> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(threads),
    temp_directory: path.join(workFolder, '.duckdb'),
  })
  const connection = await instance.connect()
  await connection.run(
    "SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false; SET autoload_known_extensions = false",
  )
  return connection
}

interface Verdict {
  readonly passed: boolean
  readonly message: string
  readonly failedRows: number | null
}

function verdictOf(returned: unknown): Verdict {
  if (typeof returned === 'boolean')
    return { passed: returned, message: returned ? '' : 'the check does not hold', failedRows: null }
  if (!Array.isArray(returned)) {
    throw new StepProblem('the check gave no verdict', 'return true or false, or the rows that break the rule')
  }
  const examples = returned
    .slice(0, 3)
    .map((row) => JSON.stringify(row, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)))
  const message =
    returned.length === 0
      ? ''
      : `${returned.length} ${returned.length === 1 ? 'row breaks' : 'rows break'} the rule, such as ${examples.join('; ')}`
  return { passed: returned.length === 0, message: message.slice(0, 1000), failedRows: returned.length }
}

function reportOf(
  outputs: readonly WrittenOutput[],
  { check, world, userMs }: { readonly check: Verdict | null; readonly world: World; readonly userMs: number },
): unknown {
  return {
    outputs,
    check,
    undeclared: world.seen,
    randomState: null,
    drewRandom: world.drewRandom(),
    warnings: [],
    userMs,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  }
}
