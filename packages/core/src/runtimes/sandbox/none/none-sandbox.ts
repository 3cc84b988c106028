/** No walls: development on machines that have none. Limits on time, memory and output still hold; the caller says so on each run. */
import type { ChildProcess } from 'node:child_process'
import type { Sandbox } from '../sandbox.ts'
import { supervise } from '../supervise.ts'

export function noneSandbox(): Sandbox {
  return {
    level: 'none',
    spawn: (spec, signal) =>
      supervise(
        spec,
        { command: spec.command, args: spec.args, env: spec.env, cwd: spec.cwd, extraFds: [], killTree: killGroup },
        signal,
      ),
    inside: (bind) => bind.source,
  }
}

/** The process leads a group of its own. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
