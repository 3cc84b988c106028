/**
 * From a notebook's path to files in the project: read, repaired, packages locked, run observed, cut, proven, written.
 * Until the verdict nothing of the project changes but the package lists; a refused notebook writes nothing.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { CellmillError } from '../../errors.ts'
import { proposeOrders } from '../../notebook/dataflow/orders.ts'
import type { NotebookDocument } from '../../notebook/document.ts'
import { loadFacts } from '../../notebook/facts/load-facts.ts'
import type { Interpreter } from '../../notebook/facts/load-facts.ts'
import { localModules } from '../../notebook/facts/local-modules.ts'
import type { NotebookFacts } from '../../notebook/ir.ts'
import type { Graduation, GraduationVerdict, Refusal, Repair } from '../../notebook/graduation.ts'
import { graduateNotebook as convert } from '../../notebook/graduate/graduate-notebook.ts'
import { sqlMagicRefusals } from '../../notebook/graduate/sql-magics.ts'
import type { Observation } from '../../notebook/observation.ts'
import { copyTree } from '../../notebook/observe/copy-tree.ts'
import { reproducedOutputs } from '../../notebook/observe/compare-outputs.ts'
import { isProven } from '../../notebook/prove/judge-proof.ts'
import type { Proof } from '../../notebook/prove/proof.ts'
import { readNotebook } from '../../notebook/read/read-notebook.ts'
import { expandStars } from '../../notebook/repair/expand-stars.ts'
import { helperConflicts, inlineCode } from '../../notebook/repair/inline-code.ts'
import { repairPaths } from '../../notebook/repair/repair-paths.ts'
import { findPython } from '../../packages/find-python.ts'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import { toolsEnvironment } from '../../packages/tools-environment.ts'
import { bareEnvironment } from '../../packages/bare-environment.ts'
import { listFiles } from '../list-files.ts'
import { validGraph } from '../plan-project.ts'
import type { Workspace } from '../workspace.ts'
import { QueryChoice } from './choose-queries.ts'
import { observeReference } from './observe-reference.ts'
import { preparePackages } from './prepare-packages.ts'
import { proveGraduation } from './prove-graduation.ts'
import type { ProofEnd } from './prove-graduation.ts'
import { projectFiles, stageLines, stageProject } from './stage-project.ts'
import { proofFile, writeGraduation } from './write-graduation.ts'

export interface GraduateOptions {
  /** As typed, relative to `cwd`. */
  readonly notebook: string
  readonly cwd: string
  readonly into: string
  readonly params: readonly string[]
  readonly sources: ReadonlyMap<string, string>
  readonly order: 'document' | 'recorded' | null
  readonly allowNetwork: readonly string[]
  readonly prove: boolean
  /** `existing` proves the project's files as they are, and writes nothing but the proof. */
  readonly pipeline: 'new' | 'existing'
  readonly force: boolean
  /** Assets whose difference is accepted, with why. */
  readonly accepted: ReadonlyMap<string, string>
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

export interface GraduateAnswer {
  readonly notebook: string
  readonly verdict: GraduationVerdict
  readonly reasons: readonly Refusal[]
  readonly graduation: Graduation | null
  readonly repairs: readonly Repair[]
  readonly storedOutputs: { readonly same: number; readonly total: number }
  readonly proof: Proof | null
  readonly proofPath: string | null
  readonly reportPath: string | null
  readonly files: readonly string[]
  /** Packages added to requirements.txt. */
  readonly packages: readonly string[]
}

/** The notebook's own run, and what it ran on. */
interface Reference {
  readonly original: NotebookDocument
  readonly document: NotebookDocument
  readonly facts: NotebookFacts
  readonly observation: Observation
  readonly order: readonly number[]
  /** Names that star imports bound and nothing uses. */
  readonly unused: readonly string[]
  readonly projectCopy: string
  readonly captureFolder: string
  readonly environment: PythonEnvironment
  readonly tools: string
  readonly lock: string
}

export async function graduateNotebook(workspace: Workspace, options: GraduateOptions): Promise<GraduateAnswer> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'cellmill-graduation-'))
  try {
    return await new Graduating(workspace, options, scratch).run()
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

class Graduating {
  readonly #workspace: Workspace
  readonly #options: GraduateOptions
  readonly #scratch: string
  readonly #path: string
  #repairs: readonly Repair[] = []
  #stored = { same: 0, total: 0 }
  #added: readonly string[] = []

  constructor(workspace: Workspace, options: GraduateOptions, scratch: string) {
    this.#workspace = workspace
    this.#options = options
    this.#scratch = scratch
    this.#path = notebookPath(workspace.root, options)
  }

  async run(): Promise<GraduateAnswer> {
    const { say, signal } = this.#options
    const original = await readNotebook(path.join(this.#workspace.root, this.#path), { displayPath: this.#path })
    if (original.language !== 'python') {
      return this.#refused([
        {
          code: 'N44',
          cell: null,
          message: `the notebook is written in ${original.language}; only Python notebooks are converted`,
        },
      ])
    }
    if (!original.cells.some(({ type, source }) => type === 'code' && source.trim() !== '')) {
      return this.#refused([{ code: 'NOTEBOOK_REFUSED', cell: null, message: 'the notebook has no code to convert' }])
    }
    validGraph(await this.#workspace.project())
    const bare = await bareEnvironment()
    const joined = await this.#inlined(original, await this.#facts(original, bare), 'notebooks', bare)
    const first = joined.facts
    const prepared = await preparePackages({ root: this.#workspace.root, facts: first, signal, say })
    this.#added = prepared.added
    const { environment } = prepared
    const repaired = await this.#repair(joined.document, environment)
    if (repaired.refusals.length > 0) return this.#refused(repaired.refusals)
    const modules = new Set(environment.distributions.flatMap((one) => one.modules))
    const effects = [...effectsOf(repaired.facts), ...sqlMagicRefusals(repaired.facts, modules)]
    if (effects.length > 0) return this.#refused(effects)
    const tools = await toolsEnvironment(await findPython())
    const projectCopy = path.join(this.#scratch, 'project')
    await copyTree(this.#workspace.root, projectCopy, undefined, signal)
    say('running the notebook, observed')
    const captureFolder = path.join(this.#scratch, 'captures')
    const observed = await observeReference({
      workspace: this.#workspace,
      document: repaired.document,
      facts: repaired.facts,
      orders: proposeOrders(repaired.document, repaired.facts),
      order: this.#options.order,
      projectCopy,
      environment,
      tools,
      captureFolder,
      allowNetwork: this.#options.allowNetwork,
      signal,
    })
    if ('refusals' in observed) return this.#refused(observed.refusals)
    const outputs = reproducedOutputs(original, observed.observation)
    this.#stored = { same: outputs.reproduced, total: outputs.compared }
    const unconfirmed = this.#confirmRepairs()
    if (unconfirmed.length > 0) return this.#refused(unconfirmed)
    const inlined = await this.#inlined(repaired.document, repaired.facts, 'code', environment)
    if (inlined.refusals.length > 0) return this.#refused(inlined.refusals)
    const named = await this.#nameImports(inlined, observed.observation, environment)
    const reference: Reference = {
      original,
      document: named.document,
      facts: named.facts,
      observation: observed.observation,
      order: observed.order,
      unused: named.unused,
      projectCopy,
      captureFolder,
      environment,
      tools,
      lock: prepared.lock,
    }
    return this.#decide(reference)
  }

  /** With queries as SQL where that is exact; should the whole proof not bear that out, all of them in Python. */
  async #decide(reference: Reference): Promise<GraduateAnswer> {
    const { pipeline, prove, signal, say } = this.#options
    const choice = new QueryChoice({
      workspace: this.#workspace,
      reference: reference.observation,
      pipeline,
      convert: (inPython) => this.#convert(reference, prove ? inPython : undefined),
      projectCopy: reference.projectCopy,
      scratch: this.#scratch,
      captureFolder: reference.captureFolder,
      environment: reference.environment,
      toolsSitePackages: reference.tools,
      signal,
    })
    for (;;) {
      const converted = await choice.settle()
      if ('refusals' in converted) return this.#refused(converted.refusals)
      const graduation = this.#completed(converted.graduation, reference)
      if (!prove) return this.#write(graduation, 'unproven', null)
      const end = await this.#prove(graduation, reference)
      const again = pipeline === 'new' && !isProven(end.proof.verdict) && choice.keepInPython(graduation)
      if (!again) return this.#write(graduation, end.proof.verdict, end)
      say('not proven with queries as SQL; once more with all of them in Python')
    }
  }

  #completed(graduation: Graduation, reference: Reference): Graduation {
    const unheld = reference.unused.map((variable) => ({
      variable,
      why: 'dropped: a star import bound it, nothing uses it',
    }))
    return {
      ...graduation,
      unheld: [...graduation.unheld, ...unheld],
      notebook: { ...graduation.notebook, digest: reference.original.digest },
      repairs: this.#repairs,
    }
  }

  async #prove(graduation: Graduation, reference: Reference): Promise<ProofEnd> {
    const { signal, say } = this.#options
    const scratch = await mkdtemp(path.join(this.#scratch, 'proof-'))
    const staging = { root: this.#workspace.root, target: path.join(scratch, 'staged'), signal }
    const root = await stageProject(staging, this.#options.pipeline === 'new' ? graduation : null)
    const staged = this.#workspace.open(root)
    try {
      await stageLines(await staged.stateFolder(), graduation)
      return await proveGraduation({
        staged,
        projectCopy: reference.projectCopy,
        document: reference.document,
        facts: reference.facts,
        graduation,
        reference: reference.observation,
        referenceMs: reference.observation.ms,
        captureFolder: reference.captureFolder,
        environment: reference.environment,
        toolsSitePackages: reference.tools,
        lock: reference.lock,
        repairs: this.#repairs,
        storedOutputs: this.#stored,
        accepted: this.#options.accepted,
        signal,
        say,
      })
    } finally {
      await staged.close()
    }
  }

  async #facts(document: NotebookDocument, python: Interpreter): Promise<NotebookFacts> {
    const sandbox = await this.#workspace.sandbox()
    const modules = localModules({ ...document, path: this.#path }, listFiles(this.#workspace.root))
    return loadFacts(document, { python, sandbox, localModules: modules })
  }

  async #repair(document: NotebookDocument, environment: PythonEnvironment) {
    const facts = await this.#facts(document, environment)
    const repaired = repairPaths({
      document,
      facts,
      folder: path.posix.dirname(this.#path) === '.' ? '' : path.posix.dirname(this.#path),
      files: listFiles(this.#workspace.root),
      sources: this.#options.sources,
    })
    this.#repairs = [...this.#repairs, ...repaired.repairs]
    const again: NotebookFacts =
      repaired.repairs.length === 0 ? facts : await this.#facts(repaired.document, environment)
    return { document: repaired.document, facts: again, refusals: repaired.refusals }
  }

  /** Code from texts and other files where it runs. A notebook is joined before the run: a step has no IPython to run it. */
  async #inlined(
    document: NotebookDocument,
    facts: NotebookFacts,
    what: 'notebooks' | 'code',
    python: Interpreter,
  ): Promise<{
    readonly document: NotebookDocument
    readonly facts: NotebookFacts
    readonly refusals: readonly Refusal[]
  }> {
    const read = readerOf(this.#workspace.root)
    const made = inlineCode({ document: { ...document, path: this.#path }, facts, what, read })
    if (made.repairs.length === 0) return { document, facts, refusals: [] }
    const again = await this.#facts(made.document, python)
    if (again.cells.some(({ syntaxError }, at) => syntaxError !== null && facts.cells[at]?.syntaxError === null))
      return { document, facts, refusals: [] }
    const shared = helperConflicts(again, made.helpers)
    const [helper] = made.helpers
    if (shared.length > 0 && helper !== undefined) {
      const message = `it runs ${helper.path}, whose ${shared.join(', ')} and the notebook's are different variables; import the file instead`
      return { document, facts, refusals: [{ code: 'N14', cell: helper.cell, message }] }
    }
    this.#repairs = [...this.#repairs, ...made.repairs]
    return { document: { ...made.document, path: document.path }, facts: again, refusals: [] }
  }

  /** Star imports by the names that the run saw. */
  async #nameImports(
    repaired: { readonly document: NotebookDocument; readonly facts: NotebookFacts },
    observation: Observation,
    environment: PythonEnvironment,
  ) {
    const { document, repairs, unused } = expandStars(repaired.document, repaired.facts, observation)
    if (repairs.length === 0) return { ...repaired, unused }
    this.#repairs = [...this.#repairs, ...repairs]
    return { document, facts: await this.#facts(document, environment), unused }
  }

  /** A repair that nothing but the repair itself speaks for is no basis for a proof. */
  #confirmRepairs(): readonly Refusal[] {
    const { same, total } = this.#stored
    this.#repairs = this.#repairs.map((repair) =>
      repair.confirmedBy === null && same > 0
        ? { ...repair, confirmedBy: `stored outputs ${same} of ${total} reproduced` }
        : repair,
    )
    return this.#repairs
      .filter(({ confirmedBy }) => confirmedBy === null)
      .map(({ code, cell, message }) => ({
        code,
        cell,
        message: `${message}; no stored output confirms that it is the right one: name it with --source NAME=PATH`,
      }))
  }

  #convert(reference: Reference, inPython: ReadonlyMap<number, string> | undefined) {
    const { document, facts, observation, order } = reference
    return convert({
      document,
      facts,
      observation,
      options: {
        ...(inPython === undefined ? {} : { inPython }),
        order,
        into: this.#options.into,
        params: this.#options.params,
        sources: Object.fromEntries(this.#options.sources),
        name: path.posix.basename(this.#path).replace(/\.[^.]+$/, ''),
        existingNames: [],
        files: listFiles(this.#workspace.root),
      },
    })
  }

  #refused(reasons: readonly Refusal[]): GraduateAnswer {
    return {
      notebook: this.#path,
      verdict: 'refused',
      reasons,
      graduation: null,
      repairs: this.#repairs,
      storedOutputs: this.#stored,
      proof: null,
      proofPath: null,
      reportPath: null,
      files: [],
      packages: this.#added,
    }
  }

  async #write(graduation: Graduation, verdict: GraduationVerdict, end: ProofEnd | null): Promise<GraduateAnswer> {
    const { root } = this.#workspace
    const isNew = this.#options.pipeline === 'new'
    const asDraft = isNew && !isProven(verdict) && !this.#options.force
    const written = await writeGraduation({
      root,
      stateFolder: await this.#workspace.stateFolder(),
      graduation,
      verdict,
      files: this.#options.pipeline === 'new' ? await projectFiles(root, graduation) : [],
      asDraft,
      mergeBase: isNew && !asDraft,
      force: this.#options.force,
      proof: end?.proof ?? null,
      pipeline: end?.pipeline ?? null,
      problems: end?.problems ?? [],
    })
    return {
      notebook: this.#path,
      verdict,
      reasons: reasonsOf(end),
      graduation,
      repairs: this.#repairs,
      storedOutputs: this.#stored,
      proof: end?.proof ?? null,
      proofPath: end === null ? null : proofFile(graduation.notebook.name),
      reportPath: written.reportPath,
      files: written.files,
      packages: this.#added,
    }
  }
}

/** What acts on the world is refused before anything runs: not even an observed run may do it. */
function effectsOf(facts: NotebookFacts): readonly Refusal[] {
  return facts.cells.flatMap(({ index, statements }) =>
    statements.flatMap(({ tokens, definitions }) =>
      [...tokens, ...definitions.flatMap(({ lateTokens }) => lateTokens)]
        .filter(({ token, mode }) => token === 'world' && mode === 'write')
        .slice(0, 1)
        .map(({ why }) => ({
          code: 'N48',
          cell: index,
          message: `it acts on the world outside (${why}); put that into a step of its own, by hand`,
        })),
    ),
  )
}

function reasonsOf(end: ProofEnd | null): readonly Refusal[] {
  if (end === null || isProven(end.proof.verdict)) return []
  const bad = (verdict: string): boolean => verdict !== 'equal' && verdict !== 'stochastic' && verdict !== 'accepted'
  const reasons = [
    ...end.problems.map((message) => ({ code: 'NOT_PROVEN', cell: null, message })),
    ...end.proof.values
      .filter(({ verdict }) => bad(verdict))
      .map(({ variable, asset, within, cell, verdict, cause }) => ({
        code: 'NOT_PROVEN',
        cell: cell < 0 ? null : cell,
        message: `${variable}${asset === null ? (within === null ? '' : ` in ${within}`) : ` (${asset})`} is ${verdict}${cause === null ? '' : `: ${cause}`}`,
      })),
    ...end.proof.outputs
      .filter(({ verdict }) => bad(verdict))
      .map(({ cell, kind, verdict, evidence }) => ({
        code: 'NOT_PROVEN',
        cell,
        message: `the ${kind} that the cell shows is ${verdict}: ${evidence}`,
      })),
  ]
  const message = 'no result could be compared exactly: all of them differ between two runs of the notebook itself'
  return reasons.length > 0 ? reasons : [{ code: 'NOT_PROVEN', cell: null, message }]
}

/** Relative to the project, forward slashes. Throws NOTEBOOK_UNREADABLE for what lies elsewhere or is not there. */
export function notebookPath(root: string, options: { readonly notebook: string; readonly cwd: string }): string {
  const absolute = path.resolve(options.cwd, options.notebook)
  if (!existsSync(absolute)) {
    throw new CellmillError('NOTEBOOK_UNREADABLE', `there is no notebook ${options.notebook}`, { hint: 'ls notebooks' })
  }
  const relative = path.relative(root, absolute).split(path.sep).join('/')
  if (relative.startsWith('../') || path.isAbsolute(relative)) {
    throw new CellmillError('NOTEBOOK_UNREADABLE', `${options.notebook} is not in the project`, {
      hint: `cp ${options.notebook} notebooks/`,
    })
  }
  return relative
}

const largestHelper = 1 << 20

/** Files of the project, which listing keeps to the folder and without links. */
function readerOf(root: string): (file: string) => string | null {
  const files = new Set(listFiles(root))
  return (file) => {
    const full = path.join(root, file)
    return files.has(file) && statSync(full).size <= largestHelper ? readFileSync(full, 'utf8') : null
  }
}
