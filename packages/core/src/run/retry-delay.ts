/** Exponential backoff with full jitter: attempt 1 waits up to 1 s, 2 up to 2 s, 4 s, .. at most 60 s. */
export function retryDelayMs(failedAttempts: number, random: () => number): number {
  const ceiling = Math.min(60_000, 1_000 * 2 ** (failedAttempts - 1))
  return Math.round(ceiling * (0.5 + random() / 2))
}
