/** A seeded generator, so that a failing sequence can be run again: `CELLMILL_SEED=N`. */

export function chosenSeed(): number {
  const given = process.env['CELLMILL_SEED']
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
}

/** mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
