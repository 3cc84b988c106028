/**
 * The engine worker: a process that answers requests, one line of JSON each, from stdin to file descriptor 3. Every
 * request gets a DuckDB of its own; nothing is kept between two. It ends when stdin does.
 */
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { CellmillError } from '../../errors.ts'
import { ingestFolder } from './ingest.ts'
import { parseMacroFiles, parseTexts } from './parse.ts'
import type { CallRequest, Method, Methods, WorkerAnswer, WorkerRequest } from './protocol.ts'
import { toWire } from './query-error.ts'
import { exportRelation, runBoundedQuery, runSql } from './run-query.ts'
import type { OnSession } from './run-query.ts'
import type { Session } from './session.ts'
import { runSqliteQuery } from './sqlite-source.ts'
import { digestTable } from './table-scan.ts'

interface UnderWay {
  cancelled: boolean
  session: Session | null
}

type Handlers = {
  readonly [M in Method]: (request: CallRequest<M>, onSession: OnSession) => Promise<Methods[M]['result']>
}

const handlers: Handlers = {
  runSql: ({ params, limits }, onSession) => runSql(params, limits, onSession),
  query: ({ params, limits }, onSession) => runBoundedQuery(params, limits, onSession),
  digest: ({ params, limits }, onSession) => digestTable(params, limits, onSession),
  ingest: ({ params, limits }, onSession) => ingestFolder(params, limits, onSession),
  exportTo: ({ params, limits }, onSession) => exportRelation(params, limits, onSession),
  sqlite: ({ params, limits }, onSession) => runSqliteQuery(params, limits, onSession),
  parse: ({ params }) => parseTexts(params.texts),
  macros: ({ params }) => parseMacroFiles(params.files),
}

const controlFd = 3
const underWay = new Map<number, UnderWay>()

function answer(value: WorkerAnswer): void {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`)
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(controlFd, bytes, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}

async function call<M extends Method>(request: CallRequest<M>): Promise<void> {
  const state: UnderWay = { cancelled: false, session: null }
  underWay.set(request.id, state)
  const onSession: OnSession = (session) => {
    state.session = session
    if (state.cancelled) throw new CellmillError('CANCELLED', 'The query was cancelled.')
  }
  try {
    const result = await handlers[request.method](request, onSession)
    answer({ id: request.id, ok: true, result })
  } catch (error) {
    answer({ id: request.id, ok: false, error: toWire(error) })
  } finally {
    underWay.delete(request.id)
  }
}

function cancel(id: number): void {
  const state = underWay.get(id)
  if (state === undefined) return
  state.cancelled = true
  state.session?.connection.interrupt()
}

const lines = createInterface({ input: process.stdin, crlfDelay: Infinity })
lines.on('line', (line) => {
  const request = JSON.parse(line) as WorkerRequest
  if ('cancel' in request) cancel(request.id)
  else void call(request as CallRequest<Method>)
})
lines.on('close', () => process.exit(0))
