/**
 * What a plan may know of a source without capturing it: the stat cache for files, HEAD for addresses. Reads only.
 * A changed file up to `hashLimitBytes` is hashed on the spot; anything dearer is unknown until the run captures it.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { digestOf, sha256 } from '../canonical.ts'
import type { SourceObservation } from '../catalog/catalog.ts'
import type { EnvironmentDefinition, HttpSource, SourceDefinition, SqliteSource } from '../model/project.ts'
import { refreshBucket } from '../plan/recipe-of.ts'
import { isRacy, sourceFiles, versionOf } from './source-paths.ts'
import type { SourceFile } from './source-paths.ts'

const hashLimitBytes = 256 * 1024 * 1024

export interface ObserveContext {
  readonly root: string
  readonly environment: EnvironmentDefinition | null
  readonly runTime: string
  readonly offline: boolean
  /** The last capture of a binding, from the catalog. */
  readonly last: (binding: string) => SourceObservation | null
}

export interface Observed {
  readonly source: SourceDefinition
  /** Where it reads in this environment. */
  readonly location: string
  readonly binding: string
  readonly version: string
  /** Null when only a capture can tell. */
  readonly contentDigest: string | null
  /** The capture that has this content already. */
  readonly address: string | null
}

/** Throws SOURCE_MISSING. */
export async function observeSource(context: ObserveContext, source: SourceDefinition): Promise<Observed> {
  const override = context.environment?.sources[source.name]
  switch (source.type) {
    case 'file': {
      const location = override ?? source.path
      const files = sourceFiles(context.root, source, location)
      return observeFiles(context, source, location, files)
    }
    case 'http':
      return observeHttp(context, source, override ?? source.url)
    case 'sqlite':
      return observeSqlite(context, source, override ?? source.path)
  }
}

async function observeFiles(
  context: ObserveContext,
  source: SourceDefinition,
  location: string,
  files: readonly SourceFile[],
): Promise<Observed> {
  const binding = bindingOf('file', location)
  const version = versionOf(files)
  const last = context.last(binding)
  const base = { source, location, binding, version }
  if (last !== null && last.version === version && !isRacy(files, last.observedAt)) {
    return { ...base, contentDigest: last.contentDigest, address: last.address }
  }
  const total = files.reduce((sum, file) => sum + file.sizeBytes, 0)
  if (total > hashLimitBytes) return { ...base, contentDigest: null, address: null }
  const hashes = await Promise.all(
    files.map(async (file) => ({ name: file.seenAs, sha256: await hashFile(file.absolute) })),
  )
  const contentDigest = contentDigestOf(hashes)
  return { ...base, contentDigest, address: last?.contentDigest === contentDigest ? last.address : null }
}

/** Content of a file source: the sorted list of (path as seen, hash), since code may use the names. */
export function contentDigestOf(files: readonly { readonly name: string; readonly sha256: string }[]): string {
  return digestOf(files.map(({ name, sha256: hash }) => [name, hash]))
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** Within its refresh bucket the last answer holds; after it HEAD decides whether to capture again. */
async function observeHttp(context: ObserveContext, source: HttpSource, url: string): Promise<Observed> {
  const binding = bindingOf('http', url)
  const last = context.last(binding)
  const bucket = refreshBucket(source.refresh, context.runTime) ?? 'pinned'
  const known = { contentDigest: last?.contentDigest ?? null, address: last?.address ?? null }
  const [lastBucket = '', ...lastValidator] = last?.version.split('\n') ?? []
  if (last !== null && (context.offline || lastBucket === bucket)) {
    return { source, location: url, binding, version: last.version, ...known }
  }
  const validator = context.offline ? null : await validatorOf(url)
  const version = [bucket, validator ?? ''].join('\n')
  if (last !== null && validator !== null && lastValidator.join('\n') === validator) {
    return { source, location: url, binding, version, ...known }
  }
  return { source, location: url, binding, version, contentDigest: null, address: null }
}

/** ETag or Last-Modified; null when the server gives neither or does not answer: then only a capture can tell. */
async function validatorOf(url: string): Promise<string | null> {
  try {
    const answer = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(5_000) })
    const validator = answer.headers.get('etag') ?? answer.headers.get('last-modified')
    return answer.ok ? validator : null
  } catch {
    // No answer to HEAD is no news; the capture reports what is wrong.
    return null
  }
}

function observeSqlite(context: ObserveContext, source: SqliteSource, location: string): Observed {
  const asFile = { ...source, type: 'file', isGlob: false, format: 'other', options: {}, capture: true } as const
  const files = sourceFiles(context.root, asFile, location)
  const binding = bindingOf('sqlite', `${location}?${sha256(source.query)}`)
  const version = versionOf(files)
  const last = context.last(binding)
  const known = last !== null && last.version === version && !isRacy(files, last.observedAt)
  return {
    source,
    location,
    binding,
    version,
    contentDigest: known ? last.contentDigest : null,
    address: known ? last.address : null,
  }
}

function bindingOf(type: string, location: string): string {
  return `${type}:${location}`
}
