/** Limits that the kernel keeps per process, set by util-linux's `prlimit` in front of the command. */
import { existsSync } from 'node:fs'
import type { SandboxSpec } from '../sandbox.ts'

const program = '/usr/bin/prlimit'
const maxOpenFiles = 8192
/** The launcher's own, which count as well. */
const launcherTasks = 4

export interface PrlimitOptions {
  /** Only where processes are counted for the sandbox alone: else all of the user's count. */
  readonly countsOwnProcesses: boolean
}

/** The words before the command; none on machines without the program. */
export function prlimitArguments(spec: SandboxSpec, options: PrlimitOptions): readonly string[] {
  if (!existsSync(program)) return []
  const { cpuSeconds, maxProcesses, maxFileBytes } = spec
  const words = [program, '--core=0', `--nofile=${maxOpenFiles}`]
  // XCPU first, which tells this limit from a kill; KILL a second later for those that ignore it.
  if (cpuSeconds !== null) words.push(`--cpu=${Math.ceil(cpuSeconds)}:${Math.ceil(cpuSeconds) + 1}`)
  if (maxFileBytes !== null) words.push(`--fsize=${maxFileBytes}`)
  if (maxProcesses !== null && options.countsOwnProcesses) words.push(`--nproc=${maxProcesses + launcherTasks}`)
  return [...words, '--']
}
