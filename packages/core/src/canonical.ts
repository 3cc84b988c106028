/**
 * Canonical JSON and its sha256: the one way in which identities are computed. Keys are sorted by code unit, numbers
 * are as JSON writes them, `undefined` members are left out. A change here changes every fingerprint.
 */
import { createHash } from 'node:crypto'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') {
    if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`not a JSON number: ${value}`)
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(',')}]`
  const record = value as { readonly [key: string]: Json | undefined }
  const members = Object.keys(record)
    .filter((key) => record[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(record[key] as Json)}`)
  return `{${members.join(',')}}`
}

/** 64 lower-case hexadecimal digits. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

export function digestOf(value: Json): string {
  return sha256(canonicalJson(value))
}
