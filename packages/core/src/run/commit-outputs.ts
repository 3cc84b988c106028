/**
 * After the step's processes are gone: takes each output out of the attempt's folder, has it digested out of the step's
 * reach, and stores it. Nothing is visible until the catalog's transaction at the end of `buildStep`.
 */
import { createHash } from 'node:crypto'
import { lstatSync, readFileSync } from 'node:fs'
import { cp, mkdir, readdir, rename } from 'node:fs/promises'
import path from 'node:path'
import type { IngestResult } from '../engines/engine.ts'
import { CellmillError } from '../errors.ts'
import type { StepDefinition } from '../model/project.ts'
import type { SnapshotRecord } from '../model/snapshot.ts'
import { createId } from '../ids.ts'
import type { StepOutputReport, StepReport } from '../runtimes/runtime.ts'
import { randomStateEntry } from './resolve-inputs.ts'
import type { RunContext } from './run-context.ts'

export interface CommitOutputsRequest {
  readonly step: StepDefinition
  readonly fingerprint: string
  readonly report: StepReport
  /** The attempt's folder, which holds `outputs/`. */
  readonly folder: string
  readonly notReusableBecause: string | null
}

export async function commitOutputs(
  context: RunContext,
  request: CommitOutputsRequest,
): Promise<readonly SnapshotRecord[]> {
  const snapshots: SnapshotRecord[] = []
  for (const output of request.report.outputs) snapshots.push(await commitOutput(context, request, output))
  return snapshots
}

async function commitOutput(
  context: RunContext,
  request: CommitOutputsRequest,
  output: StepOutputReport,
): Promise<SnapshotRecord> {
  const staged = await context.store.stage('output')
  try {
    const outputs = path.join(request.folder, 'outputs')
    await moveOutput(outputs, output, staged.path)
    const engine = await context.engine()
    const unordered = context.recipes.languages[request.step.language].isUnordered(request.step)
    const ingested = await engine.ingest(
      {
        folder: staged.path,
        kind: output.kind,
        codec: output.codec,
        unordered,
        columnSets: [],
        maxRows: null,
        maxBytes: null,
      },
      context.signal,
    )
    const random = await addRandomState(request.report, outputs, staged.path)
    const blob = await context.store.commit(staged, [...ingested.entries, ...random])
    return toSnapshot(context, request, output, {
      address: blob.address,
      ingested,
      randomDigest: random[0]?.sha256 ?? null,
    })
  } catch (error) {
    await context.store.discard(staged)
    throw error
  }
}

/** Names come from an untrusted process: one flat entry below `outputs/`, a regular file or a folder. */
async function moveOutput(outputs: string, output: StepOutputReport, target: string): Promise<void> {
  if (!/^[\w.-]{1,100}$/.test(output.entry) || output.entry.startsWith('.')) {
    throw new CellmillError(
      'INTERNAL',
      `the step named an output entry '${output.entry.slice(0, 40)}', which is not a plain name`,
    )
  }
  const source = path.join(outputs, output.entry)
  const stat = lstatSync(source, { throwIfNoEntry: false })
  if (stat?.isDirectory()) {
    for (const name of await readdir(source)) await move(path.join(source, name), path.join(target, name))
  } else if (stat?.isFile()) {
    await mkdir(target, { recursive: true })
    await move(source, path.join(target, `data${path.extname(output.entry)}`))
  } else throw new CellmillError('INTERNAL', `the step reported an output that is not there: ${output.entry}`)
}

async function move(source: string, target: string): Promise<void> {
  try {
    await rename(source, target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    await cp(source, target, { recursive: true, verbatimSymlinks: true })
  }
}

/** Generator states are stored beside the data, so that `after_random` steps can start from them. */
async function addRandomState(report: StepReport, outputs: string, target: string) {
  if (report.randomState === null || !/^[\w.-]{1,100}$/.test(report.randomState)) return []
  const source = path.join(outputs, report.randomState)
  if (!lstatSync(source, { throwIfNoEntry: false })?.isFile()) return []
  await cp(source, path.join(target, randomStateEntry))
  const bytes = readFileSync(path.join(target, randomStateEntry))
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return [{ name: randomStateEntry, sha256, sizeBytes: bytes.length }]
}

function toSnapshot(
  context: RunContext,
  request: CommitOutputsRequest,
  output: StepOutputReport,
  stored: { readonly address: string; readonly ingested: IngestResult; readonly randomDigest: string | null },
): SnapshotRecord {
  const { facts } = stored.ingested
  return {
    ...facts,
    kind: output.kind,
    digests: stored.randomDigest === null ? facts.digests : { ...facts.digests, rng: stored.randomDigest },
    summary: { ...facts.summary, ...output.summary },
    id: createId(context.clock.now(), context.random),
    output: output.output,
    fingerprint: request.fingerprint,
    address: stored.address,
    createdAt: context.clock.now(),
    runId: context.runId,
    reusable: request.notReusableBecause === null,
    notReusableBecause: request.notReusableBecause,
  }
}
