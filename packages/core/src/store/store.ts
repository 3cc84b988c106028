/**
 * Port: snapshot bytes by content. An address is the sha256 of the folder's manifest (sorted `name sha256 size` lines),
 * so equal bytes have one place. Contract (store/contract.ts, run by every adapter):
 *   - `stage` gives a private folder on the same file system; nothing in it is visible as a blob.
 *   - `commit` fsyncs files, renames to the address, fsyncs the parent, and returns only then. Committing the same bytes
 *     twice is one blob. A crash before the rename leaves an orphan that `sweep` removes.
 *   - committed files are read-only (0444) regular files with one link; anything else in the folder is refused.
 *   - `verify` re-reads every byte. `localPath` checks size, inode and mtime only, and re-reads the bytes when those
 *     differ: a restored backup is whole although its inodes are others.
 */
export interface StagedFolder {
  readonly id: string
  /** Absolute path; the caller may write below it until `commit` or `discard`. */
  readonly path: string
}

export interface ManifestEntry {
  /** Flat name or relative path with forward slashes; checked by the store. */
  readonly name: string
  readonly sha256: string
  readonly sizeBytes: number
}

export interface CommittedBlob {
  readonly address: string
  readonly entries: readonly ManifestEntry[]
  readonly sizeBytes: number
}

export interface VerifyResult {
  readonly address: string
  readonly state: 'ok' | 'missing' | 'corrupt'
  readonly detail: string
}

export interface Store {
  readonly id: string
  stage(purpose: string): Promise<StagedFolder>
  /** `entries` are the digests that ingest computed; anything else in the folder, or missing from it, is STORE_REFUSED. */
  commit(staged: StagedFolder, entries: readonly ManifestEntry[]): Promise<CommittedBlob>
  discard(staged: StagedFolder): Promise<void>
  /** Absolute folder of a blob. Throws STORE_CORRUPT when it is missing or was touched. */
  localPath(address: string): Promise<string>
  has(address: string): Promise<boolean>
  manifest(address: string): Promise<readonly ManifestEntry[]>
  verify(address: string): Promise<VerifyResult>
  /** Moves a corrupt blob out of the way, keeping it as evidence. */
  quarantine(address: string): Promise<void>
  /** Takes the blob away at once; its space is free after the next `sweep`. */
  remove(address: string): Promise<void>
  /** Since these bytes were committed, or committed again; null when they are not there. */
  ageMs(address: string): Promise<number | null>
  list(): AsyncIterable<string>
  /** Removes staged folders older than `olderThanMs`; returns what it removed. */
  sweep(olderThanMs: number): Promise<readonly string[]>
}
