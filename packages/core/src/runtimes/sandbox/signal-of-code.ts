/** A launcher's own exit code tells the signal that ended its child, as a shell does: 128 and its number. */
import { constants } from 'node:os'

const names = new Map<number, string>(Object.entries(constants.signals).map(([name, number]) => [number, name]))

/** Null for a code that the child gave itself. */
export function signalOfCode(code: number | null): string | null {
  return code === null || code <= 128 ? null : (names.get(code - 128) ?? null)
}
