/**
 * Steps write no bytecode, so without this each of them would compile the runner anew. A copy of the Python package with
 * its bytecode is made once per content and interpreter, in the cache that projects share. Invariant: a copy appears whole,
 * by one rename, and is named by all that it was made from.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { cacheFolder } from '../../packages/cache-folder.ts'
import type { PythonEnvironment } from '../../packages/python-environment.ts'
import { runCommand } from '../../packages/run-command.ts'
import { pythonPackageRoot } from '../../sibling.ts'

const name = 'cellmill'
const idLength = 24
const timeoutMs = 60_000

/** The folder that holds the compiled package; the package's own where it cannot be compiled. */
export async function compiledPackage(environment: PythonEnvironment): Promise<string> {
  const source = pythonPackageRoot()
  try {
    const files = await sourceFiles(path.join(source, name))
    const folder = path.join(cacheFolder(), 'runner', await idOf(source, files, environment))
    if (!existsSync(folder)) await compile({ source, files, folder, python: environment.python })
    return folder
  } catch {
    // A cache that cannot be made only costs time.
    return source
  }
}

async function sourceFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && /\.py$|^py\.typed$/.test(entry.name))
    .map((entry) => path.join(name, path.relative(folder, path.join(entry.parentPath, entry.name))))
    .sort()
}

async function idOf(source: string, files: readonly string[], environment: PythonEnvironment): Promise<string> {
  const hash = createHash('sha256').update(`${environment.version} ${environment.platform}\n`)
  const contents = await Promise.all(files.map((file) => readFile(path.join(source, file))))
  for (const [i, content] of contents.entries()) hash.update(`${files[i]} ${content.length}\n`).update(content)
  return hash.digest('hex').slice(0, idLength)
}

interface Compilation {
  readonly source: string
  readonly files: readonly string[]
  readonly folder: string
  readonly python: string
}

async function compile({ source, files, folder, python }: Compilation): Promise<void> {
  await mkdir(path.dirname(folder), { recursive: true })
  const temporary = await mkdtemp(`${folder}-`)
  try {
    for (const file of files) await cp(path.join(source, file), path.join(temporary, file))
    // The sources beside it never change, so they need not be looked at: unchecked.
    const options = ['-q', '--invalidation-mode', 'unchecked-hash', '-s', temporary, '-p', folder]
    const { code, stdout } = await runCommand(python, ['-I', '-S', '-m', 'compileall', ...options, temporary], {
      timeoutMs,
    })
    if (code !== 0) throw new Error(stdout)
    await rename(temporary, folder)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    // Another process may have been quicker.
    if (!existsSync(folder)) throw error
  }
}
