/**
 * The digest with which an input enters a fingerprint: what the reader can see of a snapshot's content, never where it
 * lies. Used by plans (from memoised digests) and by runs (which compute what is missing), so that both agree.
 */
import { canonicalJson, digestOf } from '../canonical.ts'
import type { Json } from '../canonical.ts'
import type { InputDefinition, StepDefinition } from '../model/project.ts'
import type { DigestForm } from '../model/recipe.ts'
import type { SnapshotRecord } from '../model/snapshot.ts'
import type { Languages } from './language.ts'
import { globalCode } from './language.ts'

export interface ReadSet {
  readonly form: DigestForm
  /** In the snapshot's column order; null for all. */
  readonly columns: readonly string[] | null
  /** Key under which the catalog memoises a column set's digest. */
  readonly key: string
}

export function readSetOf(
  languages: Languages,
  step: StepDefinition,
  input: InputDefinition,
  snapshot: SnapshotRecord,
): ReadSet {
  if (snapshot.kind !== 'table' || snapshot.columns === null) return { form: 'bytes', columns: null, key: '*' }
  const language = languages[step.language]
  const form = language.formFor(step, input)
  const columns = language.columnsFor(step, input, snapshot.columns)
  if (columns === null) return { form, columns: null, key: '*' }
  return { form, columns, key: canonicalJson(columns) }
}

/** What a step that continues from another one's generators reads of it. */
export function randomDigest(snapshot: SnapshotRecord): string {
  return snapshot.digests.rng ?? 'nothing-drawn'
}

export interface DigestContext {
  readonly languages: Languages
  /** `pandas==2.3.3` for a module of a package, else null. */
  readonly packageOf: (module: string) => string | null
  /** A memoised digest of a column set, or null. */
  readonly columnDigest: (snapshotId: string, form: DigestForm, key: string) => string | null
}

/** Null when a column set's digest is not known yet: a plan then says `depends`, a run computes it. */
export function inputDigest(
  context: DigestContext,
  step: StepDefinition,
  input: InputDefinition,
  snapshot: SnapshotRecord,
): string | null {
  const reads = readSetOf(context.languages, step, input, snapshot)
  const base = baseDigest(context, snapshot, reads)
  if (base === null) return null
  const seesFile = step.language === 'python' || step.language === 'typescript'
  const content: Record<string, Json> = { kind: snapshot.kind, codec: snapshot.codec, base }
  if (snapshot.kind === 'table' && seesFile) content['metadata'] = snapshot.metadataDigest
  if (snapshot.kind === 'object') content['code'] = objectCode(context, snapshot)
  return digestOf(content)
}

function baseDigest(context: DigestContext, snapshot: SnapshotRecord, reads: ReadSet): string | null {
  if (reads.key === '*') return snapshot.digests[reads.form] ?? null
  return context.columnDigest(snapshot.id, reads.form, reads.key)
}

/** An object's identity covers the code of every class and function that its bytes name. */
function objectCode(context: DigestContext, snapshot: SnapshotRecord): Json {
  if (snapshot.globals === null) return 'unreadable'
  return snapshot.globals.map((global) => [
    global.module,
    global.name,
    globalCode(context.languages, context.packageOf, global),
  ])
}
