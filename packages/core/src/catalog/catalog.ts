/**
 * Port: what exists and what points to it. One transaction per method; every write that belongs to an attempt carries
 * its epoch, and changes nothing when the epoch is stale. Contract: catalog/contract.ts, run by every adapter.
 * `PlanView` is the read side that plans need; it is separate so that a no-op run loads neither kysely nor more.
 */
import type { Json } from '../canonical.ts'
import type { UserCodeError } from '../errors.ts'
import type { Recipe } from '../model/recipe.ts'
import type { SnapshotRecord, StepResult } from '../model/snapshot.ts'
import type { Severity, StepKind } from '../model/project.ts'
import type { RunState } from '../run/events.ts'

export interface PointerRecord {
  /** Asset's full name; checks have none, reports and effects have their own. */
  readonly asset: string
  readonly snapshotId: string
  readonly fingerprint: string
  readonly step: string
}

export interface ReleaseRecord {
  readonly environment: string
  readonly number: number
  readonly createdAt: string
  readonly runId: string | null
  readonly author: string
  readonly message: string
  readonly gitCommit: string | null
  /** Store address of the code bundle. */
  readonly codeBundle: string | null
  readonly packages: Json
  readonly parameters: Json
  readonly sources: Json
  /** `run`, `rollback`, `promote`. */
  readonly cause: string
  /** The release whose pointers a rollback took up again; null for any other. */
  readonly restores: number | null
  readonly mixed: boolean
  readonly pointers: readonly PointerRecord[]
}

/** A release without what it points to. */
export type ReleaseHead = Omit<ReleaseRecord, 'pointers'>

export interface EnvironmentState {
  readonly name: string
  /** Current release number; 0 before the first. */
  readonly release: number
  readonly releasedAt: string | null
  readonly held: boolean
  /** Code bundle that was rolled back from; a publish of another bundle ends the hold. */
  readonly heldBundle: string | null
}

export interface VerdictRecord {
  /** Identity of the check itself with the digests of what it read. */
  readonly fingerprint: string
  readonly check: string
  readonly severity: Severity
  readonly passed: boolean
  readonly message: string
  readonly failedRows: number | null
  /** Snapshot id of the evidence, or null. */
  readonly evidence: string | null
  readonly runId: string
  readonly at: string
}

export interface SourceObservation {
  readonly source: string
  /** Environment-independent identity of where it reads: path, url or query. */
  readonly binding: string
  /** Cheap version: stat tuple, etag, watermark. */
  readonly version: string
  readonly contentDigest: string
  /** Store address of the capture; null when `capture: false`. */
  readonly address: string | null
  readonly sizeBytes: number
  readonly observedAt: string
}

export interface RunRecord {
  readonly id: string
  readonly environment: string
  readonly state: RunState
  readonly startedAt: string
  readonly finishedAt: string | null
  readonly baseRelease: number
  readonly release: number | null
  readonly gitCommit: string | null
  /** Of the project by name, of a step as `step.name`. */
  readonly parameters: Json
  readonly packages: Json
  /** What its sources were bound to and held; known at its end. */
  readonly sources: Json
  readonly codeBundle: string | null
  readonly pid: number
  readonly sandbox: string
  readonly counts: Json
}

/** How a run ended. */
export type RunPatch = Pick<RunRecord, 'state' | 'finishedAt' | 'release' | 'counts'> &
  Partial<Pick<RunRecord, 'sources'>>

export type StepState = 'queued' | 'running' | 'succeeded' | 'reused' | 'failed' | 'skipped' | 'cancelled'

export interface RunStepRecord {
  readonly runId: string
  readonly step: string
  readonly kind: StepKind
  readonly assets: readonly string[]
  readonly state: StepState
  readonly fingerprint: string | null
  readonly recipe: Recipe | null
  /** One per recipe input: what was read. Enough to open the step again. */
  readonly inputs: readonly RunStepInput[]
  readonly reason: Json
  readonly attempt: number
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly error: UserCodeError | null
  /** Folder of the attempt's log, relative to the state folder; null before it starts. */
  readonly logPath: string | null
}

export interface RunStepInput {
  readonly argument: string
  readonly digest: string
  readonly snapshotId: string | null
  /** For sources: the observation's address. */
  readonly address: string | null
  readonly name: string
}

export interface Claim {
  readonly fingerprint: string
  readonly epoch: number
  readonly owner: string
}

export interface ClaimState {
  readonly owner: string
  readonly epoch: number
  readonly heartbeatAt: string
}

/** All a plan reads, and nothing that writes. Synchronous on purpose: a no-op plan is a few indexed look-ups. */
export interface PlanView {
  environment(name: string): EnvironmentState
  pointers(environment: string): ReadonlyMap<string, PointerRecord>
  /** The reusable, non-superseded result of a fingerprint, or null. */
  result(fingerprint: string): StepResult | null
  snapshot(id: string): SnapshotRecord | null
  /** True when some reusable result has this recipe. */
  hasRecipe(recipeDigest: string): boolean
  /** The recipe that made a fingerprint, for explanations. */
  recipe(fingerprint: string): { readonly recipe: Recipe; readonly inputs: readonly RunStepInput[] } | null
  columnDigest(snapshotId: string, form: string, columnsKey: string): string | null
  verdict(fingerprint: string): VerdictRecord | null
  observation(binding: string): SourceObservation | null
  /** The last ended state of a step in this environment, for `previous-failure` and estimates. */
  lastStep(
    environment: string,
    step: string,
  ): { readonly state: StepState; readonly ms: number | null; readonly fingerprint: string | null } | null
  /** Processes of the runs that have not ended: those that are gone left their run to `recover`. */
  runningPids(): readonly number[]
  close(): void
}

export interface PublishRequest {
  readonly environment: string
  /** Refused with PUBLISH_CONFLICT when the environment has moved on. */
  readonly expectedRelease: number
  /** `pointers` are those of the whole environment after the publish, not only the moved ones. */
  readonly release: Omit<ReleaseRecord, 'number' | 'environment' | 'createdAt'>
  /** With `keep`, a release whose cause is `run` is refused with ENVIRONMENT_HELD while the environment is held. */
  readonly hold: { readonly bundle: string | null } | 'keep' | 'clear'
}

export interface CommitRequest {
  readonly claim: Claim
  readonly runId: string
  readonly step: string
  readonly attempt: number
  readonly recipe: Recipe
  readonly inputs: readonly RunStepInput[]
  readonly result: StepResult
  /** Takes a lease of the run on the snapshots too. */
  readonly leased?: boolean
}

export interface RetentionOptions {
  /** Only results committed before this instant. */
  readonly committedBefore?: string
}

export interface Catalog {
  readonly storeId: string
  /** One view for the catalog's life; its `close` does nothing, the catalog closes it. */
  view(): PlanView
  close(): Promise<void>

  insertRun(run: RunRecord): Promise<void>
  /** Once; steps that still go on are cancelled, and the run's claims and leases fall. */
  finishRun(id: string, patch: RunPatch): Promise<void>
  runs(limit: number): Promise<readonly RunRecord[]>
  run(id: string): Promise<RunRecord | null>
  /** Runs marked running whose process is gone are ended as failed; their claims fall. */
  recover(isAlive: (pid: number) => boolean): Promise<readonly string[]>

  /** An end is final: `succeeded` and `reused` for good, another end until a later attempt. Such a write changes nothing. */
  saveStep(step: RunStepRecord): Promise<void>
  /** As `saveStep`, in one transaction: a run that reuses thousands of steps waits for one disk write. */
  saveSteps(steps: readonly RunStepRecord[]): Promise<void>
  steps(runId: string): Promise<readonly RunStepRecord[]>

  /**
   * One conditional statement. Null when another live owner has it. `owner` is the run's id, or begins with it and `:`,
   * so that `recover` can let it fall. Look for a result again after claiming: it may have been committed just before.
   * A claim whose heartbeat is older than `leaseMs` is taken over with a higher epoch.
   */
  claim(fingerprint: string, owner: string, leaseMs: number): Promise<Claim | null>
  claimState(fingerprint: string): Promise<ClaimState | null>
  /** False when the epoch is stale: the caller must stop its step and can commit nothing. */
  heartbeat(claims: readonly Claim[]): Promise<readonly boolean[]>
  release(claim: Claim): Promise<void>
  /**
   * Snapshots, fingerprint, digests, the step's end and the claim's in one transaction. `stale` when the epoch is not
   * ours any more; `already` when this very request was committed before. Throws STORE_CORRUPT, retryable, when bytes
   * that it names were collected meanwhile.
   */
  commit(request: CommitRequest): Promise<'committed' | 'already' | 'stale'>
  /** Ends the reuse of a fingerprint's current result; the next commit of the fingerprint becomes current. */
  supersede(fingerprint: string): Promise<void>

  saveColumnDigest(snapshotId: string, form: string, columnsKey: string, digest: string): Promise<void>
  saveVerdict(verdict: VerdictRecord): Promise<void>
  saveObservation(observation: SourceObservation): Promise<void>

  publish(request: PublishRequest): Promise<ReleaseRecord>
  /** Newest first. */
  releases(environment: string, limit: number): Promise<readonly ReleaseHead[]>
  releaseAt(environment: string, number: number): Promise<ReleaseRecord | null>
  environments(): Promise<readonly EnvironmentState[]>
  setHold(environment: string, held: boolean, bundle: string | null): Promise<void>

  /** Leases keep snapshots from collection until the run ends or the lease expires. Returns the ids that are gone already. */
  lease(runId: string, snapshotIds: readonly string[]): Promise<readonly string[]>
  endLeases(runId: string): Promise<void>
  /** Snapshots that no release, run or lease reaches. `forget` rechecks inside the deleting transaction and returns the freed addresses. */
  unreachable(options?: RetentionOptions): Promise<readonly SnapshotRecord[]>
  forget(snapshotIds: readonly string[]): Promise<readonly string[]>
  /** Forgets all releases but the newest `keep` of an environment; returns how many. Their numbers are not used again. */
  pruneReleases(environment: string, keep: number): Promise<number>
  /**
   * Calls `remove` for each address that nothing refers to, while no commit can make a reference to it; returns those.
   * `remove` only moves the bytes aside, quickly.
   */
  collect(addresses: readonly string[], remove: (address: string) => Promise<void>): Promise<readonly string[]>
  /** Addresses that the catalog refers to, of any kind (snapshots, captures, bundles). */
  addresses(): Promise<ReadonlySet<string>>
  snapshotsAt(address: string): Promise<readonly SnapshotRecord[]>
  /** Takes a lost or corrupt snapshot out of reuse. */
  invalidate(snapshotIds: readonly string[], because: string): Promise<void>
  /** Fingerprints that were built twice with different contents: no result of theirs follows from its inputs alone. */
  nonReproducible(): Promise<readonly string[]>
  /** Problems found in the catalog itself (dangling references, illegal states), for `verify`. */
  inspect(): Promise<readonly string[]>
}
