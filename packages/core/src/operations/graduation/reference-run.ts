/**
 * The notebook's own run, on which all that follows stands: read, its packages locked, repaired, and run observed, in the
 * order that fits what it shows. What may not run, or cannot be read, is refused here with cell and defect.
 */
import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { proposeOrders } from '../../notebook/dataflow/orders.ts'
import type { NotebookDocument } from '../../notebook/document.ts'
import { loadFacts } from '../../notebook/facts/load-facts.ts'
import type { Interpreter } from '../../notebook/facts/load-facts.ts'
import { localModules } from '../../notebook/facts/local-modules.ts'
import type { NotebookFacts } from '../../notebook/ir.ts'
import type { Refusal, Repair } from '../../notebook/graduation.ts'
import { sqlMagicRefusals } from '../../notebook/graduate/sql-magics.ts'
import type { Observation } from '../../notebook/observation.ts'
import { copyTree } from '../../notebook/observe/copy-tree.ts'
import { reproducedOutputs } from '../../notebook/observe/compare-outputs.ts'
import { readNotebook } from '../../notebook/read/read-notebook.ts'
import { expandStars } from '../../notebook/repair/expand-stars.ts'
import { helperConflicts, inlineCode } from '../../notebook/repair/inline-code.ts'
import { repairPaths } from '../../notebook/repair/repair-paths.ts'
import { bareEnvironment } from '../../packages/bare-environment.ts'
import { findPython } from '../../packages/find-python.ts'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import { toolsEnvironment } from '../../packages/tools-environment.ts'
import { listFiles } from '../list-files.ts'
import { validGraph } from '../plan-project.ts'
import type { Workspace } from '../workspace.ts'
import { observeReference } from './observe-reference.ts'
import { preparePackages } from './prepare-packages.ts'

/** The notebook's own run, and what it ran on. */
export interface Reference {
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

export interface ReferenceOptions {
  readonly sources: ReadonlyMap<string, string>
  readonly order: 'document' | 'recorded' | null
  readonly allowNetwork: readonly string[]
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

/** What is known whether or not there is a reference. */
export interface ReferenceFindings {
  readonly repairs: readonly Repair[]
  readonly storedOutputs: { readonly same: number; readonly total: number }
  /** Packages added to requirements.txt. */
  readonly packages: readonly string[]
}

type Refused = { readonly refusals: readonly Refusal[] }

interface Prepared {
  readonly original: NotebookDocument
  readonly document: NotebookDocument
  readonly facts: NotebookFacts
  readonly environment: PythonEnvironment
  readonly lock: string
}

export class ReferenceRun {
  readonly #workspace: Workspace
  readonly #options: ReferenceOptions
  readonly #scratch: string
  /** Relative to the project. */
  readonly #path: string
  #repairs: readonly Repair[] = []
  #stored = { same: 0, total: 0 }
  #added: readonly string[] = []

  constructor(
    workspace: Workspace,
    options: ReferenceOptions,
    place: { readonly scratch: string; readonly path: string },
  ) {
    this.#workspace = workspace
    this.#options = options
    this.#scratch = place.scratch
    this.#path = place.path
  }

  findings(): ReferenceFindings {
    return { repairs: this.#repairs, storedOutputs: this.#stored, packages: this.#added }
  }

  async run(): Promise<Reference | Refused> {
    const prepared = await this.#prepare()
    return 'refusals' in prepared ? prepared : this.#observe(prepared)
  }

  /** All that can be said before anything of the notebook runs. */
  async #prepare(): Promise<Prepared | Refused> {
    const { say, signal } = this.#options
    const { root } = this.#workspace
    const original = await readNotebook(path.join(root, this.#path), { displayPath: this.#path })
    const unfit = unfitNotebook(original)
    if (unfit !== null) return { refusals: [unfit] }
    validGraph(await this.#workspace.project())
    const bare = await bareEnvironment()
    const joined = await this.#inlined(original, await this.#facts(original, bare), 'notebooks', bare)
    const { added, environment, lock } = await preparePackages({ root, facts: joined.facts, signal, say })
    this.#added = added
    const repaired = await this.#repair(joined.document, environment)
    if (repaired.refusals.length > 0) return { refusals: repaired.refusals }
    const { document, facts } = repaired
    const modules = new Set(environment.distributions.flatMap((one) => one.modules))
    const refusals = [...effectsOf(facts), ...sqlMagicRefusals(facts, modules)]
    return refusals.length > 0 ? { refusals } : { original, document, facts, environment, lock }
  }

  async #observe(prepared: Prepared): Promise<Reference | Refused> {
    const { original, document, facts, environment, lock } = prepared
    const { say, signal, order, allowNetwork } = this.#options
    const tools = await toolsEnvironment(await findPython())
    const projectCopy = path.join(this.#scratch, 'project')
    await copyTree(this.#workspace.root, projectCopy, undefined, signal)
    say('running the notebook, observed')
    const captureFolder = path.join(this.#scratch, 'captures')
    const observed = await observeReference({
      workspace: this.#workspace,
      document,
      facts,
      orders: proposeOrders(document, facts),
      order,
      projectCopy,
      environment,
      tools,
      captureFolder,
      allowNetwork,
      signal,
    })
    if ('refusals' in observed) return observed
    const { observation } = observed
    const outputs = reproducedOutputs(original, observation)
    this.#stored = { same: outputs.reproduced, total: outputs.compared }
    const unconfirmed = this.#confirmRepairs()
    if (unconfirmed.length > 0) return { refusals: unconfirmed }
    const inlined = await this.#inlined(document, facts, 'code', environment)
    if (inlined.refusals.length > 0) return { refusals: inlined.refusals }
    const named = await this.#nameImports(inlined, observation, environment)
    return {
      original,
      document: named.document,
      facts: named.facts,
      observation,
      order: observed.order,
      unused: named.unused,
      projectCopy,
      captureFolder,
      environment,
      tools,
      lock,
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
}

function unfitNotebook(notebook: NotebookDocument): Refusal | null {
  if (notebook.language !== 'python') {
    const message = `the notebook is written in ${notebook.language}; only Python notebooks are converted`
    return { code: 'N44', cell: null, message }
  }
  if (notebook.cells.some(({ type, source }) => type === 'code' && source.trim() !== '')) return null
  return { code: 'NOTEBOOK_REFUSED', cell: null, message: 'the notebook has no code to convert' }
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

const largestHelper = 1 << 20

/** Files of the project, which listing keeps to the folder and without links. */
function readerOf(root: string): (file: string) => string | null {
  const files = new Set(listFiles(root))
  return (file) => {
    const full = path.join(root, file)
    return files.has(file) && statSync(full).size <= largestHelper ? readFileSync(full, 'utf8') : null
  }
}
