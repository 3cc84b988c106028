/**
 * Control groups: one per limited process, made below the group that we are in and removed after it. Version 1 has a
 * hierarchy per controller, version 2 one for all; what is usable is found by really placing a process in a group.
 * Invariant: a group is only ever made below our own, so limits set on us by others stay in force.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export interface GroupLimits {
  readonly memoryBytes: number | null
  readonly maxProcesses: number | null
}

export interface ResourceGroup {
  /** The command that enters the group and then becomes the given one. */
  enter(command: string, args: readonly string[]): { readonly command: string; readonly args: readonly string[] }
  /** Pids of all that are in it. */
  members(): readonly number[]
  wasOutOfMemory(): boolean
  peakMemoryBytes(): number | null
  /** Once nothing is in it any more. */
  remove(): void
}

export interface ResourceGroups {
  readonly version: 1 | 2
  open(limits: GroupLimits): ResourceGroup
}

const prefix = 'cellmill-'
const shell = '/bin/sh'
/** A process that writes 0 enters the group itself, so nothing of the command ever runs outside. */
const enterScript =
  'n=$1; shift; while [ "$n" -gt 0 ]; do echo 0 > "$1" || exit 125; shift; n=$((n-1)); done; exec "$@"'
/** The launcher's own processes, which count towards the limit. */
const launcherTasks = 4

/** Null where control groups cannot be used: no Linux, no permission, controllers missing. */
export function findResourceGroups(): ResourceGroups | null {
  if (process.platform !== 'linux') return null
  const candidates = [...versionTwo(), ...versionOne()]
  return candidates.find((groups) => works(groups)) ?? null
}

function works(groups: ResourceGroups): boolean {
  let group: ResourceGroup | null = null
  try {
    group = groups.open({ memoryBytes: 64 * 1024 ** 2, maxProcesses: 16 })
    const { command, args } = group.enter('/bin/sh', ['-c', 'exit 7'])
    return spawnSync(command, [...args], { env: {}, stdio: 'ignore', timeout: 10_000 }).status === 7
  } catch {
    // Not permitted here.
    return false
  } finally {
    group?.remove()
  }
}

function versionOne(): readonly ResourceGroups[] {
  const memory = ownFolder('memory')
  const pids = ownFolder('pids')
  if (memory === null || pids === null) return []
  return [
    {
      version: 1,
      open: (limits) => openGroup([memory, pids], limits, fileNamesOne),
    },
  ]
}

/** Our own group, and its parent: systemd gives a delegated service a subgroup and leaves the parent to it. */
function versionTwo(): readonly ResourceGroups[] {
  const own = ownFolder(null)
  if (own === null) return []
  return [own, path.dirname(own)].filter(isDelegated).map((folder) => ({
    version: 2,
    open: (limits) => openGroup([folder], limits, fileNamesTwo),
  }))
}

function isDelegated(folder: string): boolean {
  const controllers = (read(path.join(folder, 'cgroup.subtree_control')) ?? '').trim().split(' ')
  return controllers.includes('memory') && controllers.includes('pids')
}

/** Where the group of this process is mounted; `null` names version 2. */
function ownFolder(controller: string | null): string | null {
  const membership = (read('/proc/self/cgroup') ?? '')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([id, names]) => (controller === null ? id === '0' && names === '' : names?.split(',').includes(controller)))
  const within = membership?.slice(2).join(':')
  if (within === undefined) return null
  for (const line of (read('/proc/self/mountinfo') ?? '').split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root = '', mountPoint = ''] = before.split(' ')
    const [type, , options = ''] = after.split(' ')
    const isWanted =
      controller === null ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes(controller)
    if (!isWanted) continue
    const below = path.relative(root, within)
    // In a container the mount may begin at a group that is not above ours in our own view.
    return below.startsWith('..') ? mountPoint : path.join(mountPoint, below)
  }
  return null
}

interface FileNames {
  readonly memoryLimit: string
  readonly memoryPeak: string
  readonly memoryEvents: string
  readonly swapLimit: { readonly file: string; readonly includesMemory: boolean }
}

const fileNamesOne: FileNames = {
  memoryLimit: 'memory.limit_in_bytes',
  memoryPeak: 'memory.max_usage_in_bytes',
  memoryEvents: 'memory.oom_control',
  swapLimit: { file: 'memory.memsw.limit_in_bytes', includesMemory: true },
}
const fileNamesTwo: FileNames = {
  memoryLimit: 'memory.max',
  memoryPeak: 'memory.peak',
  memoryEvents: 'memory.events',
  swapLimit: { file: 'memory.swap.max', includesMemory: false },
}

let count = 0

function openGroup(parents: readonly string[], limits: GroupLimits, names: FileNames): ResourceGroup {
  if (count === 0) for (const parent of parents) removeStale(parent)
  count += 1
  const folders = parents.map((parent) => path.join(parent, `${prefix}${process.pid}-${count}`))
  for (const folder of folders) mkdirSync(folder)
  const [memory = '', pids = memory] = folders
  if (limits.memoryBytes !== null) {
    writeFileSync(path.join(memory, names.memoryLimit), String(limits.memoryBytes))
    const swap = names.swapLimit.includesMemory ? limits.memoryBytes : 0
    // Absent where the kernel does not account for swap.
    attempt(() => writeFileSync(path.join(memory, names.swapLimit.file), String(swap), { flag: 'r+' }))
    attempt(() => writeFileSync(path.join(memory, 'memory.oom.group'), '1', { flag: 'r+' }))
  }
  if (limits.maxProcesses !== null) {
    writeFileSync(path.join(pids, 'pids.max'), String(limits.maxProcesses + launcherTasks))
  }
  return groupOf(folders, memory, names)
}

function groupOf(folders: readonly string[], memory: string, names: FileNames): ResourceGroup {
  const processFiles = folders.map((folder) => path.join(folder, 'cgroup.procs'))
  return {
    enter: (command, args) => ({
      command: shell,
      args: ['-c', enterScript, 'sh', String(processFiles.length), ...processFiles, command, ...args],
    }),
    members: () => [
      ...new Set(
        processFiles.flatMap((file) =>
          (read(file) ?? '')
            .split('\n')
            .filter((line) => line !== '')
            .map(Number),
        ),
      ),
    ],
    wasOutOfMemory: () => /^oom_kill [1-9]/m.test(read(path.join(memory, names.memoryEvents)) ?? ''),
    peakMemoryBytes: () => {
      const peak = Number(read(path.join(memory, names.memoryPeak)) ?? Number.NaN)
      return Number.isFinite(peak) ? peak : null
    },
    remove: () => {
      for (const folder of folders) leftOver.add(folder)
      removeLeftOver()
    },
  }
}

const leftOver = new Set<string>()
const retryMs = 100

/** The kernel refuses to remove a group for a moment after its last process has ended. */
function removeLeftOver(): void {
  for (const folder of leftOver) {
    try {
      rmdirSync(folder)
      leftOver.delete(folder)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') leftOver.delete(folder)
    }
  }
  if (leftOver.size > 0) setTimeout(removeLeftOver, retryMs).unref()
}

/** Groups of processes of ours that were killed before they could clean up. */
function removeStale(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length).split('-')[0]) : Number.NaN
    if (Number.isNaN(pid) || isAlive(pid)) continue
    attempt(() => rmdirSync(path.join(parent, name)))
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function attempt(action: () => void): void {
  try {
    action()
  } catch {
    // Optional: the file is not on this kernel, or the group is still busy and is removed later.
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // Not on this machine.
    return null
  }
}
