/**
 * R1: which order the notebook is run in, and the instrumented run in that order. Candidates are tried until one runs and
 * gives the stored outputs; two that run with different results and nothing to choose between them are refused.
 */
import type { NotebookDocument } from '../../notebook/document.ts'
import type { ProposedOrder } from '../../notebook/dataflow/orders.ts'
import type { Refusal } from '../../notebook/graduation.ts'
import type { NotebookFacts } from '../../notebook/ir.ts'
import type { Observation } from '../../notebook/observation.ts'
import { chooseOrder } from '../../notebook/observe/choose-order.ts'
import type { OrderChoice, TriedOrder } from '../../notebook/observe/choose-order.ts'
import { observeNotebook } from '../../notebook/observe/observe-notebook.ts'
import { kernelConditions } from '../../notebook/observe/run-conditions.ts'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import type { Workspace } from '../workspace.ts'
import { markUnfaithful } from './mark-unfaithful.ts'

export interface ReferenceRequest {
  readonly workspace: Workspace
  readonly document: NotebookDocument
  readonly facts: NotebookFacts
  readonly orders: readonly ProposedOrder[]
  readonly order: 'document' | 'recorded' | null
  readonly projectCopy: string
  readonly environment: PythonEnvironment
  readonly tools: string
  readonly captureFolder: string
  readonly allowNetwork: readonly string[]
  readonly signal: AbortSignal
}

export type Reference =
  | { readonly observation: Observation; readonly order: readonly number[] }
  | { readonly refusals: readonly Refusal[] }

export async function observeReference(request: ReferenceRequest): Promise<Reference> {
  const candidates = candidatesOf(request)
  if (candidates.length === 0) {
    return {
      refusals: [{ code: 'N01', cell: null, message: `the notebook has no ${request.order} order: it was never run` }],
    }
  }
  const choice = await chooseOrder({
    document: request.document,
    candidates: candidates.map(({ kind, cells }) => ({ kind, execution: cells })),
    observe: (execution) => observe(request, execution),
    stopWhenConfirmed: true,
  })
  const { chosen } = choice
  if (chosen === null) return { refusals: whyNoneRuns(choice) }
  const rival = request.order === null ? choice.rivals[0] : undefined
  if (rival !== undefined) return { refusals: [undecided(chosen, rival)] }
  // The last run left its captures in the folder; another one's are made again.
  const last = choice.tried.at(-1)
  const observation = last === chosen ? chosen.observation : await observe(request, chosen.execution)
  const { workspace, environment, tools, projectCopy, captureFolder, signal } = request
  const sandbox = await workspace.sandbox()
  const folders = { toolsSitePackages: tools, projectRoot: projectCopy, captureFolder }
  const marked = await markUnfaithful({ ...folders, sandbox, environment, signal, observation })
  return { observation: marked, order: chosen.execution }
}

/**
 * The notebook as it is written comes first, even where it seems to read a name before it exists: names may be conditional.
 * Other orders count only if they read nothing too early.
 */
function candidatesOf(request: ReferenceRequest): readonly ProposedOrder[] {
  const wanted = request.order === null ? request.orders : request.orders.filter(({ kind }) => kind === request.order)
  const complete = wanted.filter(({ undefinedReads }) => undefinedReads.length === 0)
  const recordedIsDocument = request.order === 'recorded' && wanted.length === 0
  if (recordedIsDocument) return request.orders.filter(({ kind }) => kind === 'document')
  const [first] = wanted
  if (first === undefined || complete.includes(first)) return complete
  return [first, ...complete]
}

async function observe(request: ReferenceRequest, execution: readonly number[]): Promise<Observation> {
  const { workspace, document, facts, projectCopy, environment, tools, captureFolder } = request
  return observeNotebook({
    document,
    facts,
    execution,
    projectCopy,
    environment,
    toolsSitePackages: tools,
    sandbox: await workspace.sandbox(),
    clock: workspace.clock,
    mode: 'instrumented',
    conditions: kernelConditions,
    captureFolder,
    allowNetwork: request.allowNetwork,
    hostVariables: workspace.variables,
    signal: request.signal,
  })
}

function whyNoneRuns(choice: OrderChoice): readonly Refusal[] {
  const [first] = choice.tried
  const broken = first?.observation.cells.find((cell) => cell.state === 'error')
  if (broken?.error == null)
    return [{ code: 'N01', cell: null, message: 'the notebook does not run in any order that was tried' }]
  const { name, value } = broken.error
  const text = value.split('\n')[0] ?? ''
  return [{ code: codeOf(name, value), cell: broken.index, message: `the notebook does not run: ${name}: ${text}` }]
}

function codeOf(name: string, value: string): string {
  if (name === 'FileNotFoundError' || /No such file/.test(value)) return 'N21'
  if (name === 'ModuleNotFoundError' || name === 'ImportError') return 'N17'
  if (name === 'NameError') return 'N02'
  if (/urlopen|Connection|g(et)?addrinfo|gaierror|resol(ve|ution)|Network/i.test(`${name} ${value}`)) return 'N25'
  if (name === 'AttributeError' || name === 'TypeError') return 'N18'
  return 'N05'
}

function undecided(chosen: TriedOrder, rival: OrderChoice['rivals'][number]): Refusal {
  const differs = rival.differs.slice(0, 3).join(', ')
  return {
    code: 'N01',
    cell: null,
    message: `the ${chosen.kind} order and the ${rival.order.kind} order both run and give different results (${differs}); choose with --order document or --order recorded`,
  }
}
