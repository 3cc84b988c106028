/** Values for the catalog's contract: small, and as a run would make them. */
import { sha256 } from '../../canonical.ts'
import type { Clock } from '../../clock.ts'
import { createId } from '../../ids.ts'
import { fingerprintOf, recipeDigest, recipeVersion } from '../../model/recipe.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { SnapshotRecord } from '../../model/snapshot.ts'
import type { Claim, CommitRequest, PublishRequest, RunRecord, RunStepInput, RunStepRecord } from '../catalog.ts'

export interface SetClock extends Clock {
  advance(ms: number): void
}

export function setClock(start = '2026-01-02T03:04:05.000Z'): SetClock {
  let at = Date.parse(start)
  return {
    now: () => new Date(at).toISOString(),
    monotonicMs: () => at,
    sleep: () => Promise.resolve(),
    advance: (ms) => {
      at += ms
    },
  }
}

export const start = '2026-01-02T03:04:05.000Z'

let counter = 0

export function idOf(): string {
  counter++
  return createId(new Date(Date.parse(start) + counter).toISOString(), () => (counter % 32) / 32)
}

export function aRun(patch: Partial<RunRecord> = {}): RunRecord {
  return {
    id: idOf(),
    environment: 'dev',
    state: 'running',
    startedAt: start,
    finishedAt: null,
    baseRelease: 0,
    release: null,
    gitCommit: null,
    parameters: { year: 2026 },
    packages: {},
    sources: {},
    codeBundle: null,
    pid: 1,
    sandbox: 'none',
    counts: {},
    ...patch,
  }
}

export function aRecipe(code: string, inputs = 0): Recipe {
  return {
    v: recipeVersion,
    runtime: { language: 'python 3.11.7', codec: '1' },
    closure: [{ module: '.', unit: code, digest: sha256(code) }],
    packages: [],
    settings: {},
    outputs: [{ output: '', kind: 'auto' }],
    inputs: Array.from({ length: inputs }, (_, i) => ({
      argument: `in${i}`,
      annotation: '',
      codec: 'snapshot',
      columns: null,
      form: 'sequence' as const,
    })),
    parameters: [],
    partition: null,
  }
}

export function aStep(runId: string, step: string, patch: Partial<RunStepRecord> = {}): RunStepRecord {
  return {
    runId,
    step,
    kind: 'asset',
    assets: [step],
    state: 'running',
    fingerprint: null,
    recipe: null,
    inputs: [],
    reason: null,
    attempt: 1,
    startedAt: start,
    finishedAt: null,
    error: null,
    logPath: null,
    ...patch,
  }
}

export function aSnapshot(fingerprint: string, runId: string, patch: Partial<SnapshotRecord> = {}): SnapshotRecord {
  return {
    kind: 'table',
    sizeBytes: 10,
    rows: 1,
    columns: [{ name: 'a', type: 'BIGINT' }],
    profile: [{ name: 'a', nulls: 0, min: '1', max: '1' }],
    metadataDigest: '',
    unordered: false,
    digests: { sequence: sha256(`${fingerprint} rows`), multiset: sha256(`${fingerprint} set`) },
    globals: null,
    codec: 'parquet',
    summary: {},
    id: idOf(),
    output: '',
    fingerprint,
    address: sha256(`${fingerprint} bytes`),
    createdAt: start,
    runId,
    reusable: true,
    notReusableBecause: null,
    ...patch,
  }
}

export interface CommitWish {
  readonly runId: string
  readonly code: string
  readonly inputs?: readonly RunStepInput[]
  readonly claim: Claim
  readonly snapshots?: readonly SnapshotRecord[]
}

export function fingerprintFor(code: string, inputs: readonly RunStepInput[] = []): string {
  const digests = inputs.map((input) => input.digest)
  return fingerprintOf(aRecipe(code, inputs.length), digests)
}

export function aCommit(wish: CommitWish): CommitRequest {
  const inputs = wish.inputs ?? []
  const recipe = aRecipe(wish.code, inputs.length)
  const { fingerprint } = wish.claim
  return {
    claim: wish.claim,
    runId: wish.runId,
    step: wish.code,
    attempt: 1,
    recipe,
    inputs,
    result: {
      fingerprint,
      recipeDigest: recipeDigest(recipe),
      snapshots: wish.snapshots ?? [aSnapshot(fingerprint, wish.runId)],
    },
  }
}

export function aPublish(
  environment: string,
  expectedRelease: number,
  snapshots: Readonly<Record<string, SnapshotRecord>>,
): PublishRequest {
  return {
    environment,
    expectedRelease,
    hold: 'keep',
    release: {
      runId: null,
      author: 'me',
      message: '',
      gitCommit: null,
      codeBundle: null,
      packages: {},
      parameters: {},
      sources: {},
      cause: 'run',
      restores: null,
      mixed: false,
      pointers: Object.entries(snapshots).map(([asset, snapshot]) => ({
        asset,
        snapshotId: snapshot.id,
        fingerprint: snapshot.fingerprint,
        step: asset,
      })),
    },
  }
}
