/** Memory of a process and all it started, read from /proc. Shared pages are counted once per process that maps them alone. */
import { readFileSync, readdirSync } from 'node:fs'

/** Null where /proc cannot tell. */
export function treeMemoryBytes(root: number): number | null {
  try {
    return residentOf(root, 0)
  } catch {
    // The process has ended, or this is no Linux.
    return null
  }
}

const deepest = 64

function residentOf(pid: number, depth: number): number {
  let bytes = ownBytes(pid)
  if (depth > deepest) return bytes
  for (const child of childrenOf(pid)) {
    try {
      bytes += residentOf(child, depth + 1)
    } catch {
      // Ended while we looked.
    }
  }
  return bytes
}

function ownBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
  // Files mapped from disk are shared and can be dropped; anonymous and shared memory cannot.
  return (kilobytes('RssAnon') + kilobytes('RssShmem')) * 1024
}

export function childrenOf(pid: number): readonly number[] {
  const found: number[] = []
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      found.push(
        ...readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number),
      )
    } catch {
      // The thread has ended.
    }
  }
  return found
}
