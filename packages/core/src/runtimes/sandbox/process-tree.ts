/** Processes below a pid, read from /proc: who is there, how much memory they hold, whether one is gone. Linux only. */
import { readFileSync, readdirSync } from 'node:fs'

export interface TreeUsage {
  readonly memoryBytes: number
  /** Processes and threads. */
  readonly tasks: number
}

/** Null when the process is gone or /proc cannot tell. */
export function treeUsage(root: number): TreeUsage | null {
  const pids = [root, ...descendantsOf(root)]
  const usages = pids.map(usageOf).filter((usage) => usage !== null)
  if (usages.length === 0) return null
  return usages.reduce((sum, { memoryBytes, tasks }) => ({
    memoryBytes: sum.memoryBytes + memoryBytes,
    tasks: sum.tasks + tasks,
  }))
}

/** Memory with pages shared between the processes counted once: exact, and ten times slower than `treeUsage`. */
export function treeProportionalBytes(root: number): number {
  let bytes = 0
  for (const pid of [root, ...descendantsOf(root)]) {
    const rollup = read(`/proc/${pid}/smaps_rollup`) ?? ''
    for (const name of ['Pss_Anon', 'Pss_Shmem', 'SwapPss']) bytes += kilobytes(rollup, name) * 1024
  }
  return bytes
}

/** All processes below `root`, parents before children. */
export function descendantsOf(root: number): readonly number[] {
  const found = new Set<number>()
  const open = [root]
  for (let pid = open.shift(); pid !== undefined; pid = open.shift()) {
    for (const child of childrenOf(pid)) {
      if (found.has(child)) continue
      found.add(child)
      open.push(child)
    }
  }
  return [...found]
}

export function childrenOf(pid: number): readonly number[] {
  const children: number[] = []
  for (const task of list(`/proc/${pid}/task`)) {
    const text = read(`/proc/${pid}/task/${task}/children`)
    // Kernels without CONFIG_PROC_CHILDREN, or a thread that has ended.
    if (text === null) continue
    children.push(...text.split(' ').filter(Boolean).map(Number))
  }
  return children
}

/** Tells a process from a later one with the same pid; null when it is gone. */
export function startOf(pid: number): string | null {
  const fields = statOf(pid)
  return fields === null || fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null)
}

/** The fields after the command's name, which may itself hold blanks and brackets. */
function statOf(pid: number): readonly string[] | null {
  const text = read(`/proc/${pid}/stat`)
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function usageOf(pid: number): TreeUsage | null {
  const status = read(`/proc/${pid}/status`)
  if (status === null) return null
  // Pages of files are shared and can be dropped; anonymous and shared memory cannot.
  const memoryBytes =
    (kilobytes(status, 'RssAnon') + kilobytes(status, 'RssShmem') + kilobytes(status, 'VmSwap')) * 1024
  return { memoryBytes, tasks: kilobytes(status, 'Threads') }
}

function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // Ended while we looked, or not ours to see.
    return null
  }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    // The same.
    return []
  }
}
