/** Ids that sort by time: 48 bits of milliseconds, then 80 random bits, as 26 digits of Crockford's base 32. */
const digits = '0123456789abcdefghjkmnpqrstvwxyz'

/** `random` gives numbers in [0, 1), so that a seeded run has seeded ids. */
export function createId(nowIso: string, random: () => number): string {
  let time = Date.parse(nowIso)
  let head = ''
  for (let i = 0; i < 10; i++) {
    head = digits[time % 32]! + head
    time = Math.floor(time / 32)
  }
  let tail = ''
  for (let i = 0; i < 16; i++) tail += digits[Math.floor(random() * 32)]!
  return head + tail
}

/** True for a full id; every id that comes from outside is checked before it becomes part of a path. */
export function isId(text: string): boolean {
  return /^[0-9a-hjkmnp-tv-z]{26}$/.test(text)
}
