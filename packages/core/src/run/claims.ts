/**
 * The fingerprints this run is building: claimed by one conditional statement, kept alive by one heartbeat for all, and
 * given up when the catalog says that the epoch is another's now. A lost claim aborts its step; it can commit nothing.
 */
import type { Catalog, Claim } from '../catalog/catalog.ts'
import type { Clock } from '../clock.ts'

export const leaseMs = 30_000
const heartbeatMs = 5_000

interface Held {
  readonly claim: Claim
  readonly lost: AbortController
}

export class Claims {
  readonly #catalog: Catalog
  readonly #clock: Clock
  readonly #held: Map<string, Held> = new Map()
  #timer: NodeJS.Timeout | null = null

  constructor(catalog: Catalog, clock: Clock) {
    this.#catalog = catalog
    this.#clock = clock
  }

  /** Null when another live owner builds this fingerprint. `lost` fires when ours is taken over. */
  async take(
    fingerprint: string,
    owner: string,
  ): Promise<{ readonly claim: Claim; readonly lost: AbortSignal } | null> {
    const claim = await this.#catalog.claim(fingerprint, owner, leaseMs)
    if (claim === null) return null
    const lost = new AbortController()
    this.#held.set(fingerprint, { claim, lost })
    this.#timer ??= setInterval(() => void this.#beat(), heartbeatMs).unref()
    return { claim, lost: lost.signal }
  }

  /** A commit has spent it. */
  spent(claim: Claim): void {
    this.#held.delete(claim.fingerprint)
  }

  /** Nothing to do for one that was spent. */
  async giveUp(claim: Claim): Promise<void> {
    if (this.#held.delete(claim.fingerprint)) await this.#catalog.release(claim)
  }

  /** Waits a little for whoever builds it. */
  async wait(signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(200, signal)
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  async #beat(): Promise<void> {
    const held = [...this.#held.values()]
    if (held.length === 0) return
    try {
      const alive = await this.#catalog.heartbeat(held.map(({ claim }) => claim))
      held.forEach(({ lost }, i) => {
        if (alive[i] === false) lost.abort(new Error('another run took this step over'))
      })
    } catch {
      // A busy catalog: the next beat tries again, and the lease is six beats long. A commit is judged by its epoch anyway.
    }
  }
}
