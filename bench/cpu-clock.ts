/**
 * Processor time of this process and of all that it starts, those in sandboxes too, which pass their time on to nobody:
 * counted by a control group of our own. Null where groups cannot be made; then only wall times are measured.
 */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** Milliseconds. */
export type CpuClock = () => number

export const cpuClock: CpuClock | null = openGroup('cpuacct') ?? openGroup(null)

function openGroup(controller: string | null): CpuClock | null {
  try {
    const parent = ownFolder(controller)
    const folder = path.join(parent, `cellmill-bench-${process.pid}`)
    mkdirSync(folder)
    const clock = clockOf(folder, controller)
    clock()
    writeFileSync(path.join(folder, 'cgroup.procs'), String(process.pid))
    process.on('exit', () => leave(folder, parent))
    return clock
  } catch {
    // Not permitted, or not mounted.
    return null
  }
}

function ownFolder(controller: string | null): string {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n')
  const line = lines.find((text) => {
    const names = text.split(':')[1]!
    return controller === null ? names === '' : names.split(',').includes(controller)
  })
  const mount = controller === null ? '/sys/fs/cgroup' : path.join('/sys/fs/cgroup', controller)
  return path.join(mount, line!.split(':').slice(2).join(':'))
}

function clockOf(folder: string, controller: string | null): CpuClock {
  if (controller !== null) return () => Number(readFileSync(path.join(folder, 'cpuacct.usage'), 'utf8')) / 1e6
  return () => Number(/usage_usec (\d+)/.exec(readFileSync(path.join(folder, 'cpu.stat'), 'utf8'))![1]) / 1000
}

function leave(folder: string, parent: string): void {
  try {
    writeFileSync(path.join(parent, 'cgroup.procs'), String(process.pid))
    rmdirSync(folder)
  } catch {
    // An empty group that stays costs nothing.
  }
}
