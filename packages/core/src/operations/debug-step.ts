/**
 * `debug`: a folder in which a past step can be opened with exactly what it read: recorded inputs from the store, its
 * parameters, and the code of the run's bundle. The environment that people read is never touched.
 */
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { digestOf } from '../canonical.ts'
import type { Json } from '../canonical.ts'
import type { RunRecord, RunStepRecord } from '../catalog/catalog.ts'
import { CellmillError } from '../errors.ts'
import { NameIndex } from '../model/references.ts'
import type { StepDefinition } from '../model/project.ts'
import { dataEntries, randomStateEntry } from '../run/resolve-inputs.ts'
import { pythonPackageRoot } from '../sibling.ts'
import { findRun } from './find-run.ts'
import type { Workspace } from './workspace.ts'

export interface DebugOptions {
  readonly run: string
  readonly asset: string
  readonly notebook: boolean
}

export interface OpenedStep {
  readonly runId: string
  readonly step: string
  readonly folder: string
  readonly script: string
  readonly notebook: string | null
  /** Starts the shell. */
  readonly command: readonly string[]
}

export async function openStep(workspace: Workspace, options: DebugOptions): Promise<OpenedStep> {
  const run = await findRun(workspace, options.run)
  const record = await findStep(workspace, run, options.asset)
  const folder = path.join(
    await workspace.stateFolder(),
    'debug',
    `${run.id.slice(-6)}-${record.step.replaceAll(/[^\w.-]/g, '_')}`,
  )
  await rm(folder, { recursive: true, force: true })
  await mkdir(path.join(folder, 'work'), { recursive: true })
  await mkdir(path.join(folder, 'outputs'), { recursive: true })
  const code = path.join(folder, 'code')
  const definition = await definitionOf(workspace, { run, record, code })
  await writeFile(
    path.join(folder, 'work.json'),
    JSON.stringify(await workFile(workspace, { run, record, definition, code })),
  )
  const python = await workspace.python()
  const script = path.join(pythonPackageRoot(), 'cellmill/_runner/debug.py')
  const notebook = options.notebook ? path.join(folder, `${record.step}.ipynb`) : null
  if (notebook !== null) await writeFile(notebook, notebookText(folder, definition))
  return { runId: run.id, step: record.step, folder, script, notebook, command: [python.python, script, folder] }
}

async function findStep(workspace: Workspace, run: RunRecord, asset: string): Promise<RunStepRecord> {
  const steps = (await (await workspace.catalog()).steps(run.id)).filter((step) => step.recipe !== null)
  const byName = new Map<string, RunStepRecord>()
  for (const step of steps) for (const name of [step.step, ...step.assets]) byName.set(name, step)
  const resolution = new NameIndex(byName.keys()).resolve(asset)
  if (resolution.type === 'found') return byName.get(resolution.name)!
  throw new CellmillError('UNKNOWN_NAME', `run ${run.id.slice(-6)} has no step for '${asset}'`, {
    hint: steps.length === 0 ? 'cellmill run   first' : `its steps: ${[...byName.keys()].slice(0, 12).join(', ')}`,
  })
}

interface Recorded {
  readonly run: RunRecord
  readonly record: RunStepRecord
  readonly code: string
}

/** The step as its bundle defines it: the project may have moved on since. */
async function definitionOf(workspace: Workspace, { run, record, code }: Recorded): Promise<StepDefinition> {
  if (run.codeBundle === null)
    throw new CellmillError('UNKNOWN_NAME', `run ${run.id.slice(-6)} kept no code`, { hint: 'cellmill run' })
  await cp(await (await workspace.store()).localPath(run.codeBundle), code, { recursive: true })
  const bundle = workspace.open(code)
  try {
    const { project } = await bundle.project()
    const found = project.steps.find(({ id }) => id === record.step)
    if (found === undefined)
      throw new CellmillError('UNKNOWN_NAME', `the code of run ${run.id.slice(-6)} has no step '${record.step}'`)
    if (found.language !== 'python') {
      throw new CellmillError(
        'USAGE',
        `'${record.step}' is written in ${found.language}; only Python steps open in a shell`,
        {
          hint: `cellmill show ${record.step}`,
        },
      )
    }
    return found
  } finally {
    await bundle.close()
  }
}

async function workFile(
  workspace: Workspace,
  recorded: Recorded & { readonly definition: StepDefinition },
): Promise<Json> {
  const { run, record, definition, code } = recorded
  const recipe = record.recipe!
  const parameters = Object.fromEntries(
    recipe.parameters.filter(({ name }) => !name.startsWith('project.')).map(({ name, value }) => [name, value]),
  )
  const projectParameters = Object.fromEntries(
    recipe.parameters
      .filter(({ name }) => name.startsWith('project.'))
      .map(({ name, value }) => [name.slice('project.'.length), value]),
  )
  const inputs = await Promise.all(definition.inputs.map((input) => inputOf(workspace, record, input)))
  return {
    definition: definition as unknown as Json,
    runId: run.id,
    inputs: inputs as unknown as Json,
    parameters,
    projectParameters,
    runTime: run.startedAt,
    seed:
      typeof recipe.settings['seed'] === 'string'
        ? recipe.settings['seed']
        : digestOf([recipe.closure, recipe.outputs] as unknown as Json),
    randomState: await randomState(workspace, record),
    strict: false,
    codeRoot: code,
    lines: [],
    readable: [],
  }
}

async function inputOf(workspace: Workspace, record: RunStepRecord, input: StepDefinition['inputs'][number]) {
  const store = await workspace.store()
  const seen = record.inputs.find(({ argument }) => argument === input.argument)
  const snapshot = seen?.snapshotId == null ? null : (await workspace.catalog()).view().snapshot(seen.snapshotId)
  const address = snapshot?.address ?? seen?.address ?? null
  if (address === null)
    throw new CellmillError('STORE_CORRUPT', `what '${record.step}' read as ${input.argument} is not kept`, {
      hint: 'cellmill run --rebuild',
    })
  const folder = await store.localPath(address)
  const files = dataEntries(await store.manifest(address))
  const { argument, form, annotation, columns } = input
  const isSource = snapshot === null
  const { project } = await workspace.project()
  const source = project.config.sources.find(({ name }) => name === seen?.name)
  return {
    argument,
    form,
    annotation,
    columns,
    origin: isSource ? 'source' : 'asset',
    codec: snapshot?.codec ?? (source !== undefined && source.type !== 'sqlite' ? source.format : 'other'),
    folder,
    files,
    sourcePaths: isSource ? files : [],
    isGlob: source?.type === 'file' && source.isGlob,
    name: seen?.name ?? argument,
    options: source !== undefined && source.type !== 'sqlite' ? source.options : {},
  }
}

async function randomState(workspace: Workspace, record: RunStepRecord): Promise<string | null> {
  const seen = record.inputs.find(({ argument }) => argument === 'after_random')
  const snapshot = seen?.snapshotId == null ? null : (await workspace.catalog()).view().snapshot(seen.snapshotId)
  if (snapshot?.digests.rng === undefined) return null
  return path.join(await (await workspace.store()).localPath(snapshot.address), randomStateEntry)
}

function notebookText(folder: string, definition: StepDefinition): string {
  const quoted = JSON.stringify(folder)
  const cells = [
    `import sys\nsys.path.insert(0, ${JSON.stringify(pythonPackageRoot())})\nfrom cellmill._runner.debug import open_step\nglobals().update(open_step(${quoted}))`,
    definition.inputs.map(({ argument }) => argument).join(', ') || '# no inputs',
    'result = run()\nresult',
  ]
  const notebook = {
    cells: cells.map((source, i) => ({
      cell_type: 'code',
      id: `debug-${i}`,
      metadata: {},
      execution_count: null,
      outputs: [],
      source,
    })),
    metadata: {
      kernelspec: { display_name: 'Python 3', language: 'python', name: 'python3' },
      language_info: { name: 'python' },
    },
    nbformat: 4,
    nbformat_minor: 5,
  }
  return `${JSON.stringify(notebook, null, 1)}\n`
}
