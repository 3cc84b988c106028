/** What the replays of a proof work with: the written steps, the captures that feed them, and processes to run them in. */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { Json } from '../../canonical.ts'
import type { StepDefinition } from '../../model/project.ts'
import type { GraduatedStep, Graduation } from '../../notebook/graduation.ts'
import { loadCaptures } from '../../notebook/prove/captures.ts'
import type { TaskContext } from '../../notebook/prove/python-task.ts'
import type { ReplayContext } from '../../notebook/prove/replay-steps.ts'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import type { StepInput, StepWork } from '../../runtimes/runtime.ts'
import { validGraph } from '../plan-project.ts'
import type { Workspace } from '../workspace.ts'

export interface ReplayRequest {
  /** The project as it would be, opened. */
  readonly staged: Workspace
  /** Frozen copy of the project without the new files: what the notebook's runs read. */
  readonly projectCopy: string
  readonly graduation: Graduation
  readonly captureFolder: string
  readonly environment: PythonEnvironment
  readonly toolsSitePackages: string
  readonly signal: AbortSignal
}

export interface Replaying {
  readonly context: ReplayContext
  close(): Promise<void>
}

/** The caller closes what comes back; its files go with the staged project. */
export async function openReplay(request: ReplayRequest): Promise<Replaying> {
  const { staged, graduation } = request
  const loaded = await staged.project()
  const graph = validGraph(loaded)
  const sandbox = await staged.sandbox()
  // Where the engine of the staged project may read and write too.
  const scratch = path.join(await staged.stateFolder(), 'tmp', 'replay')
  await mkdir(scratch, { recursive: true })
  const dispatch = await staged.dispatch()
  const tasks: TaskContext = {
    sandbox,
    environment: request.environment,
    toolsSitePackages: request.toolsSitePackages,
    projectRoot: staged.root,
    mainModule: path.posix.basename(mainFile(graduation), '.py'),
    scratch,
    readable: [request.captureFolder, path.join(await staged.stateFolder(), 'store')],
    signal: request.signal,
  }
  const runtime = await staged.replayRuntime({
    environment: request.environment,
    readable: [...tasks.readable, request.projectCopy, staged.root],
    writable: scratch,
    preload: path.join(staged.root, mainFile(graduation)),
  })
  const projectParameters: Record<string, Json> = {}
  for (const parameter of loaded.project.parameters) projectParameters[parameter.name] = parameter.default
  const context: ReplayContext = {
    graduation,
    captures: await loadCaptures(request.captureFolder),
    tasks,
    definitions: definitionsOf(graduation.steps, graph.order),
    projectParameters,
    codeFiles: (step) => loaded.languages[step.language].closures.closureOf(step).files,
    sourceInput: (name, step, argument) =>
      Promise.resolve(sourceInput(request, loaded.project.config.sources, { name, step, argument })),
    execute: (work, onText) =>
      canFork(work)
        ? runtime.run(work, { write: onText }, request.signal)
        : dispatch.execute(work, { write: onText }, request.signal),
    runTime: staged.clock.now(),
  }
  return { context, close: () => runtime.close() }
}

/** What is set before an interpreter starts, or has no part in a proof, is left to a process of its own. */
function canFork({ definition }: StepWork): boolean {
  const { threads, memoryBytes, timeoutMs, network } = definition.options
  return (
    definition.language === 'python' &&
    threads === 1 &&
    memoryBytes === null &&
    timeoutMs === null &&
    network.length === 0
  )
}

/** Python steps by their function, SQL steps by the last part of their name. */
function definitionsOf(
  steps: readonly GraduatedStep[],
  order: readonly StepDefinition[],
): ReadonlyMap<string, StepDefinition> {
  const found = new Map<string, StepDefinition>()
  for (const step of steps) {
    const definition = order.find(
      (candidate) => candidate.file === step.file && (candidate.language === 'sql' || candidate.symbol === step.name),
    )
    if (definition !== undefined) found.set(step.name, definition)
  }
  return found
}

function mainFile(graduation: Graduation): string {
  return graduation.files.find(({ path: name }) => name.endsWith('.py'))?.path ?? 'main.py'
}

interface SourceRead {
  readonly name: string
  readonly step: StepDefinition
  readonly argument: string
}

/** The notebook's own file, from the frozen copy. */
function sourceInput(
  request: ReplayRequest,
  sources: readonly { readonly name: string }[],
  read: SourceRead,
): StepInput {
  const source = sources.find(({ name }) => name === read.name) as
    | { type: string; path?: string; format?: string; options?: Record<string, Json>; isGlob?: boolean }
    | undefined
  const input = read.step.inputs.find(({ argument }) => argument === read.argument)!
  const files = source?.path === undefined ? [] : [source.path]
  return {
    argument: read.argument,
    form: input.form,
    annotation: input.annotation,
    columns: input.columns,
    origin: 'source',
    codec: source?.format ?? 'other',
    folder: request.projectCopy,
    files,
    sourcePaths: files,
    isGlob: source?.isGlob ?? false,
    name: read.name,
    options: source?.options ?? {},
  }
}
