/**
 * From a notebook's path to files in the project: run as it is, cut, proven, written. Until the verdict nothing of the
 * project changes but the package lists; a refused notebook writes nothing.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Graduation, GraduationVerdict, Refusal } from '../../notebook/graduation.ts'
import { graduateNotebook as convert } from '../../notebook/graduate/graduate-notebook.ts'
import { isProven } from '../../notebook/prove/judge-proof.ts'
import type { Proof } from '../../notebook/prove/proof.ts'
import { listFiles } from '../list-files.ts'
import type { Workspace } from '../workspace.ts'
import { QueryChoice } from './choose-queries.ts'
import { notProvenReasons } from './not-proven-reasons.ts'
import { notebookPath } from './notebook-path.ts'
import { proveGraduation } from './prove-graduation.ts'
import type { ProofEnd } from './prove-graduation.ts'
import { ReferenceRun } from './reference-run.ts'
import type { Reference, ReferenceFindings, ReferenceOptions } from './reference-run.ts'
import { projectFiles, stageLines, stageProject } from './stage-project.ts'
import { proofFile, writeGraduation } from './write-graduation.ts'

export interface GraduateOptions extends ReferenceOptions {
  /** As typed, relative to `cwd`. */
  readonly notebook: string
  readonly cwd: string
  readonly into: string
  readonly params: readonly string[]
  readonly prove: boolean
  /** `existing` proves the project's files as they are, and writes nothing but the proof. */
  readonly pipeline: 'new' | 'existing'
  readonly force: boolean
  /** Assets whose difference is accepted, with why. */
  readonly accepted: ReadonlyMap<string, string>
}

export interface GraduateAnswer extends ReferenceFindings {
  readonly notebook: string
  readonly verdict: GraduationVerdict
  readonly reasons: readonly Refusal[]
  readonly graduation: Graduation | null
  readonly proof: Proof | null
  readonly proofPath: string | null
  readonly reportPath: string | null
  readonly files: readonly string[]
}

export async function graduateNotebook(workspace: Workspace, options: GraduateOptions): Promise<GraduateAnswer> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'cellmill-graduation-'))
  try {
    const notebook = notebookPath(workspace.root, options)
    const run = new ReferenceRun(workspace, options, { scratch, path: notebook })
    const reference = await run.run()
    const graduating = new Graduating(workspace, options, { scratch, notebook, findings: run.findings() })
    return 'refusals' in reference ? graduating.refused(reference.refusals) : await graduating.decide(reference)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

interface GraduatingParts {
  readonly scratch: string
  /** Relative to the project. */
  readonly notebook: string
  readonly findings: ReferenceFindings
}

class Graduating {
  readonly #workspace: Workspace
  readonly #options: GraduateOptions
  readonly #scratch: string
  readonly #path: string
  readonly #findings: ReferenceFindings

  constructor(workspace: Workspace, options: GraduateOptions, parts: GraduatingParts) {
    this.#workspace = workspace
    this.#options = options
    this.#scratch = parts.scratch
    this.#path = parts.notebook
    this.#findings = parts.findings
  }

  /** With queries as SQL where that is exact; should the whole proof not bear that out, all of them in Python. */
  async decide(reference: Reference): Promise<GraduateAnswer> {
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
      if ('refusals' in converted) return this.refused(converted.refusals)
      const graduation = this.#completed(converted.graduation, reference)
      if (!prove) return this.#write(graduation, 'unproven', null)
      const end = await this.#prove(graduation, reference)
      const again = pipeline === 'new' && !isProven(end.proof.verdict) && choice.keepInPython(graduation, end.proof)
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
      repairs: this.#findings.repairs,
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
        repairs: this.#findings.repairs,
        storedOutputs: this.#findings.storedOutputs,
        accepted: this.#options.accepted,
        signal,
        say,
      })
    } finally {
      await staged.close()
    }
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

  refused(reasons: readonly Refusal[]): GraduateAnswer {
    return {
      notebook: this.#path,
      verdict: 'refused',
      reasons,
      graduation: null,
      ...this.#findings,
      proof: null,
      proofPath: null,
      reportPath: null,
      files: [],
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
      reasons: notProvenReasons(end),
      graduation,
      ...this.#findings,
      proof: end?.proof ?? null,
      proofPath: end === null ? null : proofFile(graduation.notebook.name),
      reportPath: written.reportPath,
      files: written.files,
    }
  }
}
