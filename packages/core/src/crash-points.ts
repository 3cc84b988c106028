/**
 * Named places at which tests end or pause this process, to show what a crash there leaves behind. Without
 * CELLMILL_CRASH_AT or CELLMILL_PAUSE_AT in the environment of the process a point costs one comparison.
 * `NAME#3` is the third time that the point is reached.
 */
export const crashPoints = [
  'store.before-stage',
  'store.before-fsync',
  'store.mid-fsync',
  'store.after-fsync',
  'store.before-rename',
  'store.after-rename',
  'store.after-folder-fsync',
  'capture.mid-write',
  'catalog.before-commit',
  'catalog.mid-commit',
  'catalog.after-commit',
  'catalog.before-publish',
  'catalog.mid-publish',
  'catalog.after-publish',
  'publisher.before-publish',
  'publisher.after-publish',
  'run.after-commit',
  'gc.before-forget',
  'gc.mid-forget',
  'gc.after-forget',
  'gc.mid-remove',
  'gc.after-remove',
] as const

export type CrashPoint = (typeof crashPoints)[number]

const wanted = [
  { at: process.env['CELLMILL_CRASH_AT'], signal: 'SIGKILL' },
  { at: process.env['CELLMILL_PAUSE_AT'], signal: 'SIGSTOP' },
] as const
const isArmed = wanted.some(({ at }) => at !== undefined)
const hits = new Map<CrashPoint, number>()

export function crashPoint(name: CrashPoint): void {
  if (!isArmed) return
  const hit = (hits.get(name) ?? 0) + 1
  hits.set(name, hit)
  for (const { at, signal } of wanted) {
    if (at === `${name}#${hit}` || (at === name && hit === 1)) process.kill(process.pid, signal)
  }
}
