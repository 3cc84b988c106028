/**
 * The conditions that a run is given and its results may depend on without saying so. `kernelConditions` are those of a
 * notebook on this machine, `stepConditions` those of a pipeline's step: one factor at a time can be switched back.
 */
export interface RunConditions {
  /** `host` keeps this machine's zone. */
  readonly timeZone: 'host' | 'utc'
  readonly locale: 'host' | 'c'
  readonly hashSeed: 'random' | 'zero'
  /** BLAS and OpenMP threads. */
  readonly threads: 'host' | 'one'
  readonly clockShiftSeconds: number
}

export const kernelConditions: RunConditions = {
  timeZone: 'host',
  locale: 'host',
  hashSeed: 'random',
  threads: 'host',
  clockShiftSeconds: 0,
}

export const stepConditions: RunConditions = {
  timeZone: 'utc',
  locale: 'c',
  hashSeed: 'zero',
  threads: 'one',
  clockShiftSeconds: 86_400,
}

const threadVariables = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'NUMEXPR_NUM_THREADS']
const hostLocale = ['LANG', 'LC_ALL', 'LC_CTYPE', 'LC_NUMERIC', 'LC_TIME', 'LC_COLLATE', 'LC_MONETARY', 'LANGUAGE']

/** Environment variables that put the conditions in force; nothing else of the host's environment is in them. */
export function conditionVariables(
  conditions: RunConditions,
  host: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  const keep = (names: readonly string[]): void => {
    for (const name of names) {
      const value = host[name]
      if (value !== undefined) found[name] = value
    }
  }
  if (conditions.timeZone === 'utc') found['TZ'] = 'UTC'
  else keep(['TZ'])
  if (conditions.locale === 'c') found['LC_ALL'] = 'C.UTF-8'
  else keep(hostLocale)
  if (conditions.threads === 'one') for (const name of threadVariables) found[name] = '1'
  else keep(threadVariables)
  if (conditions.hashSeed === 'zero') found['PYTHONHASHSEED'] = '0'
  return found
}

/** Isolated mode would ignore the hash seed; with a cleared environment the two flags below isolate as well. */
export function isolationFlags(conditions: RunConditions): readonly string[] {
  return conditions.hashSeed === 'zero' ? ['-s', '-P'] : ['-I']
}
