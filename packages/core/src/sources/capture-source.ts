/**
 * Copies a source once into the store; steps of a run read only the copy. The copy is what is hashed, so a file that
 * changes while it is copied cannot come in half: what was stored is what counts.
 */
import { createHash } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { SourceObservation } from '../catalog/catalog.ts'
import { crashPoint } from '../crash-points.ts'
import { CellmillError } from '../errors.ts'
import type { FileSource, HttpSource } from '../model/project.ts'
import type { ManifestEntry, StagedFolder, Store } from '../store/store.ts'
import { contentDigestOf } from './observe-source.ts'
import type { Observed } from './observe-source.ts'
import { sourceFiles } from './source-paths.ts'

export interface CaptureContext {
  readonly root: string
  readonly store: Store
  readonly now: () => string
  /** Runs the query of a SQLite source in a worker and writes Parquet into the folder. */
  readonly runSqliteQuery: (
    database: string,
    query: string,
    folder: string,
  ) => Promise<{ readonly file: string; readonly digest: string }>
  readonly signal: AbortSignal
}

/** Throws SOURCE_MISSING or SOURCE_FAILED. */
export async function captureSource(context: CaptureContext, observed: Observed): Promise<SourceObservation> {
  const staged = await context.store.stage('source')
  try {
    const captured = await captureInto(context, observed, staged)
    const blob = await context.store.commit(staged, captured.entries)
    return {
      source: observed.source.name,
      binding: observed.binding,
      version: observed.version,
      contentDigest: captured.contentDigest,
      address: blob.address,
      sizeBytes: blob.sizeBytes,
      observedAt: context.now(),
    }
  } catch (error) {
    await context.store.discard(staged)
    throw error
  }
}

interface Captured {
  readonly entries: readonly ManifestEntry[]
  readonly contentDigest: string
}

async function captureInto(context: CaptureContext, observed: Observed, staged: StagedFolder): Promise<Captured> {
  const { source } = observed
  switch (source.type) {
    case 'file':
      return captureFiles(context, source, observed.location, staged)
    case 'http':
      return captureHttp(context, source, observed.location, staged)
    case 'sqlite': {
      const database = path.resolve(context.root, observed.location)
      const { file, digest } = await context.runSqliteQuery(database, source.query, staged.path)
      const entry = await entryOf(staged.path, file)
      return { entries: [entry], contentDigest: digest }
    }
  }
}

async function captureFiles(
  context: CaptureContext,
  source: FileSource,
  location: string,
  staged: StagedFolder,
): Promise<Captured> {
  const entries: ManifestEntry[] = []
  for (const file of sourceFiles(context.root, source, location)) {
    context.signal.throwIfAborted()
    const target = path.join(staged.path, file.seenAs)
    await mkdir(path.dirname(target), { recursive: true })
    await copyFile(file.absolute, target, constants.COPYFILE_FICLONE)
    crashPoint('capture.mid-write')
    entries.push(await entryOf(staged.path, file.seenAs))
  }
  return { entries, contentDigest: contentDigestOf(entries) }
}

const maxBodyBytes = 4 * 1024 ** 3

async function captureHttp(
  context: CaptureContext,
  source: HttpSource,
  url: string,
  staged: StagedFolder,
): Promise<Captured> {
  const name = path.posix.basename(new URL(url).pathname) || source.name
  const answer = await fetch(url, { signal: AbortSignal.any([context.signal, AbortSignal.timeout(600_000)]) }).catch(
    (error: unknown) => {
      context.signal.throwIfAborted()
      throw new CellmillError('SOURCE_FAILED', `source '${source.name}': ${url} does not answer`, {
        hint: 'check the address and the network, or run with --offline to use the last capture',
        retryable: true,
        cause: error,
      })
    },
  )
  if (!answer.ok || answer.body === null) {
    throw new CellmillError(
      'SOURCE_FAILED',
      `source '${source.name}': ${url} answered ${answer.status} ${answer.statusText}`,
      {
        hint: 'check the address in cellmill.config.ts',
        retryable: answer.status >= 500,
      },
    )
  }
  await writeFile(path.join(staged.path, name), limitedBody(answer.body, source.name), { flag: 'wx' })
  const entry = await entryOf(staged.path, name)
  return { entries: [entry], contentDigest: contentDigestOf([entry]) }
}

async function* limitedBody(body: ReadableStream<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  let total = 0
  for await (const chunk of body) {
    total += chunk.byteLength
    if (total > maxBodyBytes) throw new CellmillError('SOURCE_FAILED', `source '${name}' sent more than 4 GiB`)
    yield chunk
  }
}

async function entryOf(folder: string, name: string): Promise<ManifestEntry> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  await pipeline(
    createReadStream(path.join(folder, name)),
    async function* count(chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        sizeBytes += chunk.length
        yield chunk
      }
    },
    hash,
  )
  return { name, sha256: hash.digest('hex'), sizeBytes }
}
