/**
 * The world that a step starts from: its own SDK, a seeded `Math.random`, and entry points that tell when the clock or
 * entropy is read from the project's code. Telling is enough: what is undeclared makes the result usable once.
 */
import { createHash } from 'node:crypto'
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'

export interface Seen {
  readonly kind: 'clock' | 'random'
  readonly what: string
  readonly where: string
}

export interface World {
  readonly random: () => number
  readonly drewRandom: () => boolean
  readonly seen: readonly Seen[]
}

const limitSeen = 20

export function prepareWorld(options: {
  readonly sdkUrl: string
  readonly codeRoot: string
  readonly seed: string
  readonly isFresh: boolean
}): World {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === '@cellmill/sdk' ? { url: options.sdkUrl, shortCircuit: true } : next(specifier, context),
  })
  const seen: Seen[] = []
  const draws = { count: 0 }
  const generator = options.isFresh ? Math.random : seeded(options.seed)
  const random = (): number => {
    draws.count++
    return generator()
  }
  const code = pathToFileURL(`${options.codeRoot}/`).href
  const watch = (kind: Seen['kind'], what: string): void => {
    if (seen.length >= limitSeen || seen.some((other) => other.what === what)) return
    const where = callerIn(code)
    if (where !== null) seen.push({ kind, what, where })
  }
  Math.random = random
  watchClock(watch)
  watchEntropy(watch)
  return { random, drewRandom: () => draws.count > 0, seen }
}

/** The place in the project's code that called, when it called directly. */
function callerIn(code: string): string | null {
  const lines = (new Error('trace').stack ?? '').split('\n').slice(1)
  const caller = lines.find(
    (line) => !line.includes('/runner/world.') && !line.includes('node:internal') && !line.includes('<anonymous>'),
  )
  const match = caller === undefined ? null : /(file:\/\/[^\s)]+?):(\d+):\d+\)?$/.exec(caller)
  return match?.[1]?.startsWith(code) === true ? `${decodeURIComponent(match[1].slice(code.length))}:${match[2]}` : null
}

type Watch = (kind: Seen['kind'], what: string) => void

function watchClock(watch: Watch): void {
  const RealDate = Date
  const now = RealDate.now.bind(RealDate)
  const Watched = new Proxy(RealDate, {
    construct: (target, args: [], newTarget) => {
      if (args.length === 0) watch('clock', 'new Date()')
      return Reflect.construct(target, args, newTarget) as object
    },
    apply: (target, _this, args: []) => {
      watch('clock', 'Date()')
      return Reflect.apply(target, undefined, args)
    },
  })
  RealDate.now = () => {
    watch('clock', 'Date.now()')
    return now()
  }
  Object.defineProperty(RealDate.prototype, 'constructor', { value: Watched, writable: true, configurable: true })
  Reflect.set(globalThis, 'Date', Watched)
  const monotonic = performance.now.bind(performance)
  performance.now = () => {
    watch('clock', 'performance.now()')
    return monotonic()
  }
}

function watchEntropy(watch: Watch): void {
  const uuid = crypto.randomUUID.bind(crypto)
  const values = crypto.getRandomValues.bind(crypto)
  crypto.randomUUID = () => {
    watch('random', 'crypto.randomUUID()')
    return uuid()
  }
  crypto.getRandomValues = (array) => {
    watch('random', 'crypto.getRandomValues()')
    return values(array)
  }
}

/** sfc32 (Chris Doty-Humphrey, PractRand), seeded by sha256 and warmed up as its author advises. */
function seeded(seed: string): () => number {
  const digest = createHash('sha256').update(seed).digest()
  let [a, b, c, d] = [0, 4, 8, 12].map((at) => digest.readInt32LE(at)) as [number, number, number, number]
  const next = (): number => {
    const sum = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let i = 0; i < 15; i++) next()
  // 53 bits, as Math.random gives.
  return () => ((next() >>> 5) * 67_108_864 + (next() >>> 6)) / 9_007_199_254_740_992
}
