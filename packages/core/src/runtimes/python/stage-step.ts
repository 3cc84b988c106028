/**
 * Prepares the attempt's folder and says what the process may see: interpreter, packages, our package, copies of the
 * closure's files, inputs read-only, and writable only `outputs`, `work` and `tmp`. Inside a namespace every path is the
 * same for every attempt, so none of them can make two results differ.
 */
import { mkdir, realpath, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import { copyCode, isWithin } from '../attempt/copy-code.ts'
import type { StepWork } from '../runtime.ts'
import type { Bind, Sandbox } from '../sandbox/sandbox.ts'
import type { CellLine } from './cell-lines.ts'

export interface StagingContext {
  readonly sandbox: Sandbox
  /** Everything is seen at its own path, also where it could be moved: several steps share one namespace. */
  readonly inPlace?: boolean
  readonly environment: PythonEnvironment
  readonly packageRoot: string
  readonly lines: readonly CellLine[]
}

export interface StagedStep {
  readonly binds: readonly Bind[]
  /** Paths as the process sees them. */
  readonly folder: string
  readonly main: string
}

const insideFolder = '/step'

export async function stageStep(work: StepWork, context: StagingContext): Promise<StagedStep> {
  for (const name of ['outputs', 'work', 'tmp', 'code']) await mkdir(path.join(work.folder, name), { recursive: true })
  await copyCode(work)
  const isMoved = context.sandbox.level === 'bubblewrap' && context.inPlace !== true
  const bind = binder(isMoved)
  const own = [
    bind(path.join(work.folder, 'outputs'), `${insideFolder}/outputs`, true),
    bind(path.join(work.folder, 'work'), `${insideFolder}/work`, true),
    bind(path.join(work.folder, 'tmp'), `${insideFolder}/tmp`, true),
    bind(path.join(work.folder, 'code'), `${insideFolder}/code`, false),
    bind(path.join(work.folder, 'work.json'), `${insideFolder}/work.json`, false),
  ]
  const inputs = work.inputs.map((input, i) => bind(input.folder, `${insideFolder}/inputs/${i}`, false))
  const random = work.randomState === null ? [] : [bind(work.randomState, `${insideFolder}/random.pickle`, false)]
  const folder = isMoved ? insideFolder : work.folder
  await writeFile(
    path.join(work.folder, 'work.json'),
    JSON.stringify({
      definition: work.definition,
      inputs: work.inputs.map((input, i) => ({ ...input, folder: context.sandbox.inside(inputs[i]!) })),
      parameters: work.parameters,
      projectParameters: work.projectParameters,
      runTime: work.runTime,
      seed: work.seed,
      randomState: random[0] === undefined ? null : context.sandbox.inside(random[0]),
      strict: work.strict,
      recordLocals: work.recordLocals ?? false,
      keepLocals: work.keepLocals ?? [],
      codeRoot: context.sandbox.inside(own[3]!),
      lines: context.lines,
      readable: [],
    }),
  )
  return {
    binds: [...(await interpreterBinds(context, bind)), ...own, ...inputs, ...random],
    folder,
    main: path.join(context.packageRoot, 'cellmill/_runner/main.py'),
  }
}

type Binder = (source: string, target: string, writable: boolean) => Bind

function binder(isMoved: boolean): Binder {
  return (source, target, writable) => ({
    source,
    target: isMoved ? target : source,
    writable,
  })
}

/** Interpreter, packages and our own package. */
export async function interpreterBinds(
  context: Pick<StagingContext, 'environment' | 'packageRoot'>,
  bind: Binder,
): Promise<readonly Bind[]> {
  const { environment, packageRoot } = context
  const folders = new Set([environment.basePrefix, environment.prefix, path.join(packageRoot, 'cellmill')])
  if (!isWithin(environment.prefix, environment.sitePackages)) folders.add(environment.sitePackages)
  // A base prefix may be a link to the folder that the interpreter is really in.
  const real = await realpath(environment.python)
  if (![...folders].some((folder) => isWithin(folder, real))) folders.add(path.dirname(path.dirname(real)))
  // The sandbox shows the system's folders already.
  const own = [...folders].filter((folder) => folder !== '/usr' && !isWithin('/usr', folder))
  return own.map((folder) => bind(folder, folder, false))
}
