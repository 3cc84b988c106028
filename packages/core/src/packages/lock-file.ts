/** requirements.lock as text: its packages, and the first line in which we note what it was resolved for. */
export interface LockHeader {
  /** `3.11.7`. */
  readonly python: string
  /** The day whose index it was resolved against; null for the day it was made. */
  readonly asOf: string | null
}

export interface LockedPackage {
  readonly name: string
  readonly version: string
}

export function lockHeader({ python, asOf }: LockHeader, requested: string | null): string {
  const day = asOf === null ? '' : `, as of ${asOf}`
  const instead =
    requested === null || requested === asOf ? '' : ` (the earliest that resolves; ${requested} was asked for)`
  return `# Locked for Python ${python}${day}${instead}. Made by: cellmill packages lock\n`
}

/** Null when the lock was not made by us. */
export function parseLockHeader(text: string): LockHeader | null {
  const match = /^# Locked for Python (\d[\w.]*\d)(?:, as of (\d{4}-\d\d-\d\d))?/.exec(text)
  return match === null ? null : { python: match[1] ?? '', asOf: match[2] ?? null }
}

export function lockedPackages(text: string): readonly LockedPackage[] {
  return [...text.matchAll(/^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s\\;]+)/gm)].map((match) => ({
    name: match[1] ?? '',
    version: match[2] ?? '',
  }))
}

/** `3.11` of `3.11.7`: versions of packages are chosen by it. */
export function minorVersion(version: string): string {
  return version.split('.').slice(0, 2).join('.')
}
