/**
 * Descriptors that a child would inherit because this process once inherited them itself, open and not close-on-exec.
 * Neither Node nor bubblewrap closes those; a launcher replaces each by /dev/null.
 */
import { readFileSync, readdirSync } from 'node:fs'

const closeOnExec = 0o2000000

/** Those from 3 up; empty where /proc cannot tell. */
export function inheritedDescriptors(): readonly number[] {
  return listed()
    .map(Number)
    .filter((descriptor) => descriptor > 2 && isInherited(descriptor))
}

function listed(): readonly string[] {
  try {
    return readdirSync('/proc/self/fdinfo')
  } catch {
    // No /proc: no Linux.
    return []
  }
}

function isInherited(descriptor: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0
  } catch {
    // The descriptor of the listing itself.
    return false
  }
}
