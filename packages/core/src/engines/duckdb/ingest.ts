/**
 * What a step left behind, made into facts that nobody else may state: the digest of every byte and, for tables, of the
 * contents. The folder is hostile: only flat, safely named regular files with one link are read; all else is refused.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from '../../canonical.ts'
import { CellmillError } from '../../errors.ts'
import type { ContentFacts } from '../../model/snapshot.ts'
import type { ManifestEntry } from '../../store/store.ts'
import type { IngestRequest, IngestResult } from '../engine.ts'
import type { Limits } from './protocol.ts'
import type { OnSession } from './run-query.ts'
import { openTable, scanTable } from './table-scan.ts'
import type { DigestWish } from './table-scan.ts'
import { textRows } from './text-rows.ts'

const maxEntries = 10_000

export async function ingestFolder(
  request: IngestRequest,
  limits: Limits,
  onSession: OnSession,
): Promise<IngestResult> {
  const entries = await hashEntries(request)
  if (request.kind === 'table') return ingestTable(request, entries, limits, onSession)
  const facts: ContentFacts = {
    kind: request.kind,
    sizeBytes: sizeOf(entries),
    rows: null,
    columns: null,
    profile: null,
    metadataDigest: '',
    unordered: false,
    digests: { bytes: bytesDigest(request, entries) },
    globals: null,
    codec: request.codec,
    summary: {},
  }
  return { entries, facts, columnDigests: [] }
}

function bytesDigest(request: IngestRequest, entries: readonly ManifestEntry[]): string {
  if (request.kind === 'object') {
    const [entry] = entries
    if (entry === undefined || entries.length !== 1) throw refused(`an object is one file, not ${entries.length}`)
    return entry.sha256
  }
  return digestOf({ digest: 'files/1', entries: entries.map((entry) => [entry.name, entry.sha256]) })
}

async function ingestTable(
  request: IngestRequest,
  entries: readonly ManifestEntry[],
  limits: Limits,
  onSession: OnSession,
): Promise<IngestResult> {
  const [entry] = entries
  if (entry === undefined || entries.length !== 1 || !entry.name.endsWith('.parquet')) {
    throw refused(
      `a table is one Parquet file, not ${entries.map((file) => file.name).join(', ') || 'an empty folder'}`,
    )
  }
  const session = await openTable([join(request.folder, entry.name)], limits)
  try {
    onSession(session)
    const form = request.unordered ? 'multiset' : 'sequence'
    const wishes: readonly DigestWish[] = [
      { columns: null, form: 'multiset' },
      { columns: null, form: 'sequence' },
      ...request.columnSets.map((columns) => ({ columns, form }) as const),
    ]
    const scan = await scanTable(session, {
      wishes,
      profiled: true,
      limits: { maxRows: request.maxRows, maxBytes: request.maxBytes },
    })
    const metadata = await session.connection.runAndReadAll(
      `SELECT sha256(key), sha256(value) FROM parquet_kv_metadata('${join(request.folder, entry.name).replaceAll("'", "''")}') ORDER BY ALL`,
    )
    const pairs = textRows(metadata).map((row) => [...row])
    return {
      entries,
      facts: {
        kind: 'table',
        sizeBytes: sizeOf(entries),
        rows: scan.rows,
        columns: scan.columns,
        profile: scan.profile,
        metadataDigest: pairs.length === 0 ? '' : digestOf(pairs),
        unordered: request.unordered,
        digests: { multiset: scan.digests[0] ?? '', sequence: scan.digests[1] ?? '' },
        globals: null,
        codec: request.codec,
        summary: {},
      },
      columnDigests: scan.digests.slice(2),
    }
  } finally {
    await session.close()
  }
}

async function hashEntries(request: IngestRequest): Promise<readonly ManifestEntry[]> {
  const names = (await readdir(request.folder)).sort()
  if (names.length > maxEntries) throw refused(`${names.length} files; at most ${maxEntries} are allowed`)
  const entries: ManifestEntry[] = []
  let total = 0
  for (const name of names) {
    const path = join(request.folder, name)
    const stat = await lstat(path)
    if (!isSafeName(name)) throw refused(`${JSON.stringify(name)} is not a plain file name`)
    if (!stat.isFile()) throw refused(`${name} is not a regular file`)
    if (stat.nlink !== 1) throw refused(`${name} has ${stat.nlink} links`)
    total += stat.size
    if (request.maxBytes !== null && total > request.maxBytes) {
      throw refused(`more than ${request.maxBytes} bytes`)
    }
    entries.push({ name, sha256: await hashFile(path), sizeBytes: stat.size })
  }
  return entries
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** Flat, printable, no leading dot or dash: safe in a shell, a URL and a manifest line. */
export function isSafeName(name: string): boolean {
  return name.length <= 200 && /^[\p{L}\p{N}_](?:[\p{L}\p{N}_.+=@ ()-]*[\p{L}\p{N}_)])?$/u.test(name)
}

function sizeOf(entries: readonly ManifestEntry[]): number {
  return entries.reduce((sum, entry) => sum + entry.sizeBytes, 0)
}

function refused(why: string): CellmillError {
  return new CellmillError('STEP_FAILED', `The output was refused: ${why}.`, { details: { why } })
}
