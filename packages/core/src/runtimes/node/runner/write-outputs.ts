/** What `run` returned, as one entry for each declared output. Nothing is digested here: that is done out of our reach. */
import { copyFileSync, lstatSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { StepRequest } from './request.ts'
import { writeReport } from './report-parts.ts'
import { StepProblem } from './step-problem.ts'

export interface WrittenOutput {
  readonly output: string
  readonly kind: string
  readonly codec: string
  readonly entry: string
  readonly rows: number | null
  readonly summary: Readonly<Record<string, unknown>>
}

type Connect = () => Promise<DuckDBConnection>

export async function writeOutputs(
  request: StepRequest,
  returned: unknown,
  connect: Connect,
): Promise<readonly WrittenOutput[]> {
  if (request.kind === 'effect' || request.kind === 'check') return []
  const single = request.outputs.length === 1 && request.outputs[0]!.output === ''
  if (!single && (typeof returned !== 'object' || returned === null)) {
    throw new StepProblem(
      `it returned ${typeof returned}, and declares several outputs`,
      `return { ${request.outputs.map((each) => each.output).join(', ')} }`,
    )
  }
  const written: WrittenOutput[] = []
  for (const [i, output] of request.outputs.entries()) {
    const value = single ? returned : (returned as Readonly<Record<string, unknown>>)[output.output]
    if (value === undefined) {
      throw new StepProblem(
        single ? 'it returned nothing' : `it returned no '${output.output}'`,
        'return the value that the asset is',
      )
    }
    written.push(await writeOutput(request, { index: i, value, ...output }, connect))
  }
  return written
}

interface Output {
  readonly index: number
  readonly value: unknown
  readonly output: string
  readonly asset: string
  readonly kind: string
  readonly kindDeclared: boolean
}

async function writeOutput(request: StepRequest, output: Output, connect: Connect): Promise<WrittenOutput> {
  const { value, index } = output
  const common = { output: output.output, rows: null, summary: {} }
  if (output.kind === 'report') {
    const entry = `${index}.report`
    const summary = writeReport(path.join(request.outputFolder, entry), value)
    return { ...common, kind: 'report', codec: 'report', entry, summary }
  }
  const kind = output.kindDeclared ? output.kind : await kindOf(value)
  if (kind === 'table') return writeTableOutput(request, output, connect)
  if (kind === 'file') {
    const entry = `${index}.file`
    writeFile(request, output, path.join(request.outputFolder, entry))
    return { ...common, kind: 'file', codec: 'file', entry }
  }
  const entry = `${index}.json`
  writeFileSync(path.join(request.outputFolder, entry), jsonOf(value))
  return { ...common, kind: 'object', codec: 'json', entry }
}

/** Without a declared kind: rows and columns are tables, bytes are files, and the rest is JSON. */
async function kindOf(value: unknown): Promise<string> {
  if (value instanceof Uint8Array) return 'file'
  const { asTable } = await import('./write-table.ts')
  return asTable(value) === null ? 'object' : 'table'
}

async function writeTableOutput(request: StepRequest, output: Output, connect: Connect): Promise<WrittenOutput> {
  const { asTable, writeTable } = await import('./write-table.ts')
  const table = asTable(output.value)
  if (table === null) {
    throw new StepProblem(
      `'${output.asset}' is a table, and it returned ${shapeOf(output.value)}`,
      'return an array of objects, or an object of columns',
    )
  }
  const entry = `${output.index}.parquet`
  await writeTable(await connect(), table, path.join(request.outputFolder, entry))
  return { output: output.output, kind: 'table', codec: 'parquet', entry, rows: table.rows, summary: {} }
}

function shapeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array whose items are not all objects'
  return typeof value === 'object' ? `a ${value.constructor?.name ?? 'object'}` : `a ${typeof value}`
}

function writeFile(request: StepRequest, { value, asset }: Output, folder: string): void {
  mkdirSync(folder, { recursive: true })
  const name = safeName(request.exportName ?? asset)
  if (value instanceof Uint8Array) return writeFileSync(path.join(folder, name), value)
  if (typeof value !== 'string')
    throw new StepProblem(
      `'${asset}' is a file, and it returned ${shapeOf(value)}`,
      'return bytes (Uint8Array), or the path of the file that was written',
    )
  const source = path.resolve(request.workFolder, value)
  const stat = lstatSync(source, { throwIfNoEntry: false })
  const isInside = stat !== undefined && realpathSync(source).startsWith(realpathSync(request.workFolder) + path.sep)
  if (stat?.isFile() !== true || !isInside) {
    throw new StepProblem(
      `'${asset}' is a file, and there is none at '${value.slice(0, 100)}'`,
      'write it in the working directory, and return its relative path',
    )
  }
  // Copied, not moved: in the sandbox the two folders are mounts of their own.
  copyFileSync(source, path.join(folder, safeName(path.basename(source))))
}

function safeName(name: string): string {
  const plain = path
    .basename(name)
    .replaceAll(/[^\w.+=@ ()-]/g, '_')
    .replace(/^[^\w]+/, '')
    .slice(0, 150)
    .replace(/[^\w)]+$/, '')
  return plain === '' ? 'data' : plain
}

/** JSON that says everything: what it would drop or change is refused. */
function jsonOf(value: unknown): string {
  const check = (at: unknown, where: string, open: readonly object[]): void => {
    if (at === null || typeof at === 'string' || typeof at === 'boolean') return
    if (typeof at === 'number') {
      if (!Number.isFinite(at) || Object.is(at, -0)) throw lossy(where, String(at))
      return
    }
    if (typeof at !== 'object') throw lossy(where, `a ${typeof at}`)
    if (open.includes(at)) throw lossy(where, 'a circle')
    const prototype = Object.getPrototypeOf(at) as object | null
    if (Array.isArray(at)) at.forEach((item, i) => check(item, `${where}[${i}]`, [...open, at]))
    else if (prototype === Object.prototype || prototype === null) {
      for (const [key, member] of Object.entries(at)) check(member, `${where}.${key}`, [...open, at])
    } else throw lossy(where, `a ${at.constructor?.name ?? 'class instance'}`)
  }
  check(value, 'the result', [])
  return JSON.stringify(value)
}

function lossy(where: string, what: string): StepProblem {
  return new StepProblem(
    `${where} is ${what}, which JSON cannot hold`,
    "return plain data, or bytes with  kind: 'file'",
  )
}
