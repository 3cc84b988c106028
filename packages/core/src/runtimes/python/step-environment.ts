/** The whole environment of a step's process: the same for every step, but for its own secrets. Nothing is inherited. */
import path from 'node:path'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import type { StepWork } from '../runtime.ts'

/** `folder` is the attempt's folder as the process sees it. Without work it is what all steps with one thread share. */
export function stepEnvironment(
  work: StepWork | null,
  environment: PythonEnvironment,
  folder: string,
): Readonly<Record<string, string>> {
  const threads = String(work?.definition.options.threads ?? 1)
  return {
    ...work?.secrets,
    PATH: `${path.dirname(environment.python)}:/usr/bin:/bin`,
    HOME: `${folder}/tmp`,
    TMPDIR: `${folder}/tmp`,
    MPLCONFIGDIR: `${folder}/tmp/matplotlib`,
    TZ: 'UTC',
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    PYTHONHASHSEED: '0',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUTF8: '1',
    MPLBACKEND: 'agg',
    OPENBLAS_NUM_THREADS: threads,
    OMP_NUM_THREADS: threads,
    MKL_NUM_THREADS: threads,
    NUMEXPR_NUM_THREADS: threads,
    VECLIB_MAXIMUM_THREADS: threads,
    POLARS_MAX_THREADS: threads,
    RAYON_NUM_THREADS: threads,
    ...(work === null ? {} : ownVariables(work)),
  }
}

function ownVariables(work: StepWork): Readonly<Record<string, string>> {
  return {
    CELLMILL_STEP: work.definition.id,
    CELLMILL_RUN: work.runId,
    CELLMILL_IDEMPOTENCY_KEY: work.idempotencyKey,
  }
}
