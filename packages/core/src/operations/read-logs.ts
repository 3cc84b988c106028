/** `logs`: what the attempts of a run printed, in the order of their steps. Files are streamed line by line. */
import { createReadStream, existsSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { RunStepRecord } from '../catalog/catalog.ts'
import { CellmillError } from '../errors.ts'
import { NameIndex } from '../model/references.ts'
import { findRun } from './find-run.ts'
import type { Workspace } from './workspace.ts'

export interface LogLine {
  readonly at: string
  readonly runId: string
  readonly step: string
  readonly attempt: number
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

export interface LogQuery {
  readonly run: string
  /** Null for all steps. */
  readonly step: string | null
}

export async function* readLogs(workspace: Workspace, query: LogQuery): AsyncGenerator<LogLine> {
  const run = await findRun(workspace, query.run)
  const steps = await (await workspace.catalog()).steps(run.id)
  const state = await workspace.stateFolder()
  for (const step of chosenSteps(steps, query.step)) {
    if (step.logPath === null) continue
    const file = path.join(state, step.logPath)
    if (!existsSync(file)) continue
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      const entry = parseLine(line)
      if (entry !== null) yield { ...entry, runId: run.id, step: step.step, attempt: step.attempt }
    }
  }
}

function chosenSteps(steps: readonly RunStepRecord[], wanted: string | null): readonly RunStepRecord[] {
  if (wanted === null) return steps
  const resolution = new NameIndex(steps.map((step) => step.step)).resolve(wanted)
  if (resolution.type === 'found') return steps.filter((step) => step.step === resolution.name)
  throw new CellmillError('UNKNOWN_NAME', `the run has no step '${wanted}'`, {
    hint: `its steps: ${steps
      .map((step) => step.step)
      .slice(0, 12)
      .join(', ')}`,
  })
}

/** The last line of a crashed attempt may be cut. */
function parseLine(line: string): { at: string; stream: 'stdout' | 'stderr'; text: string } | null {
  try {
    return JSON.parse(line) as { at: string; stream: 'stdout' | 'stderr'; text: string }
  } catch {
    return null
  }
}
