/** The whole environment of a step's process: the same for every step, but for its own secrets. Nothing is inherited. */
import path from 'node:path'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import type { StepWork } from '../runtime.ts'

/** Variables that say how many threads libraries take. */
const threadVariables = [
  'OPENBLAS_NUM_THREADS',
  'OMP_NUM_THREADS',
  'MKL_NUM_THREADS',
  'NUMEXPR_NUM_THREADS',
  'VECLIB_MAXIMUM_THREADS',
  'POLARS_MAX_THREADS',
  'RAYON_NUM_THREADS',
]

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
    ...Object.fromEntries(threadVariables.map((name) => [name, threads])),
    ...(work === null ? {} : ownVariables(work)),
  }
}

function ownVariables(work: StepWork): Readonly<Record<string, string>> {
  return {
    CELLMILL_STEP: work.definition.id,
    CELLMILL_RUN: work.runId,
    CELLMILL_IDEMPOTENCY_KEY: work.idempotencyKey,
    // The C library's own variable.
    ...(work.memoryFill === undefined ? {} : { MALLOC_PERTURB_: String(work.memoryFill) }),
  }
}

/** The same with as many threads as a notebook's kernel took: sums in another order are rounded otherwise. */
export function kernelThreads(
  environment: Readonly<Record<string, string>>,
  host: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const rest = Object.entries(environment).filter(([name]) => !threadVariables.includes(name))
  const own = threadVariables.flatMap((name) => (host[name] === undefined ? [] : [[name, host[name]] as const]))
  return Object.fromEntries([...rest, ...own])
}
