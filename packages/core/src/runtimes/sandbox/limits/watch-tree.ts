/**
 * Watches the memory and the number of tasks of a process tree where no control group limits them. A process may pass
 * its limit for the time between two looks; the memory that counts is what cannot be dropped, with shared pages once.
 */
import { treeProportionalBytes, treeUsage } from '../process-tree.ts'

export interface WatchOptions {
  readonly pid: number
  readonly memoryBytes: number | null
  readonly maxProcesses: number | null
  readonly onOver: (what: 'out-of-memory' | 'process-limit') => void
}

export interface TreeWatch {
  peakMemoryBytes(): number | null
  stop(): void
}

const limitedPollMs = 50
const idlePollMs = 250

export function watchTree(options: WatchOptions): TreeWatch {
  let peak: number | null = null
  const look = (): void => {
    const usage = treeUsage(options.pid)
    if (usage === null) return
    const { memoryBytes, maxProcesses } = options
    const used = exactWhenOver(options.pid, usage.memoryBytes, memoryBytes)
    peak = Math.max(peak ?? 0, used)
    if (memoryBytes !== null && used > memoryBytes) options.onOver('out-of-memory')
    else if (maxProcesses !== null && usage.tasks > maxProcesses) options.onOver('process-limit')
  }
  const isLimited = options.memoryBytes !== null || options.maxProcesses !== null
  const timer = setInterval(look, isLimited ? limitedPollMs : idlePollMs)
  return { peakMemoryBytes: () => peak, stop: () => clearInterval(timer) }
}

function exactWhenOver(pid: number, bytes: number, limit: number | null): number {
  if (limit === null || bytes <= limit) return bytes
  const exact = treeProportionalBytes(pid)
  // Zero where the kernel does not tell.
  return exact === 0 ? bytes : exact
}
