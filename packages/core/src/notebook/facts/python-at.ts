/** An interpreter on this machine as the folders that it needs, found from its files alone: nothing is started. */
import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Interpreter } from './load-facts.ts'

/** Null when there is no such file. */
export async function pythonAt(python: string): Promise<Interpreter | null> {
  try {
    if (!(await stat(python)).isFile()) return null
  } catch {
    // Absent, or in a folder we may not look into: no interpreter either way.
    return null
  }
  const prefix = dirname(dirname(python))
  const home = await homeOf(join(prefix, 'pyvenv.cfg'))
  if (home !== null) return { python, prefix, basePrefix: dirname(home) }
  const real = await realpath(python)
  return { python: real, prefix: dirname(dirname(real)), basePrefix: dirname(dirname(real)) }
}

/** A virtual environment names the folder of the interpreter it was made from. */
async function homeOf(configuration: string): Promise<string | null> {
  try {
    const found = /^home\s*=\s*(.+)$/m.exec(await readFile(configuration, 'utf8'))
    return found?.[1]?.trim() ?? null
  } catch {
    // No such file: not a virtual environment.
    return null
  }
}
