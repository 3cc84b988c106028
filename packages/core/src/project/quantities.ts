/** Durations, sizes and refresh rules as authors write them, in every language: `'10m'`, `'2GB'`, `'always'`. Null when malformed. */
import type { Refresh } from '../model/project.ts'

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const sizeUnits: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
}

export function parseDurationMs(text: string): number | null {
  return quantity(text, durationUnits)
}

export function parseSizeBytes(text: string): number | null {
  return quantity(text, sizeUnits)
}

export function parseRefresh(text: string): Refresh | null {
  if (text === 'always' || text === 'never') return { kind: text }
  const everyMs = parseDurationMs(text)
  return everyMs === null ? null : { kind: 'every', everyMs }
}

function quantity(text: string, units: Readonly<Record<string, number>>): number | null {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(text)
  const unit = match === null ? undefined : units[match[2]!.toLowerCase()]
  if (match === null || unit === undefined) return null
  const value = Math.round(Number(match[1]) * unit)
  return Number.isSafeInteger(value) && value > 0 ? value : null
}
