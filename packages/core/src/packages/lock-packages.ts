/** requirements.txt to requirements.lock: exact versions with hashes, wheels only, as the index was on a day where one is given. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CellmillError } from '../errors.ts'
import type { FoundPython } from './find-python.ts'
import { findUv, proxyEnvironment } from './find-uv.ts'
import { runCommand } from './run-command.ts'

export interface LockOptions {
  readonly root: string
  readonly interpreter: FoundPython
  /** `2023-06-01`; null for today. */
  readonly asOf: string | null
  readonly signal?: AbortSignal | undefined
}

export interface LockedPackages {
  readonly file: string
  readonly packages: readonly { readonly name: string; readonly version: string }[]
  readonly asOf: string | null
}

/** Throws PACKAGES_FAILED; the old lock is then still there. */
export async function lockPackages(options: LockOptions): Promise<LockedPackages> {
  const uv = await findUv()
  const file = path.join(options.root, 'requirements.lock')
  const temporary = `${file}.${process.pid}`
  const args = [
    'pip',
    'compile',
    '--quiet',
    '--generate-hashes',
    '--only-binary',
    ':all:',
    '--no-header',
    '--no-annotate',
    '--python',
    options.interpreter.python,
    '--output-file',
    temporary,
    ...(options.asOf === null ? [] : ['--exclude-newer', options.asOf]),
    'requirements.txt',
  ]
  try {
    const ended = await runCommand(uv, args, { cwd: options.root, env: proxyEnvironment(), signal: options.signal })
    if (ended.code !== 0) throw unresolved(ended.stderr, options)
    const text = await readFile(temporary, 'utf8')
    const day = options.asOf === null ? '' : `, as of ${options.asOf}`
    await writeFile(
      temporary,
      `# Locked for Python ${options.interpreter.version}${day}. Made by: cellmill packages lock\n${text}`,
    )
    await rename(temporary, file)
    return { file, packages: lockedPackages(text), asOf: options.asOf }
  } finally {
    await rm(temporary, { force: true })
  }
}

export function lockedPackages(text: string): readonly { readonly name: string; readonly version: string }[] {
  return [...text.matchAll(/^([A-Za-z0-9][\w.-]*)==([^\s\\;]+)/gm)].map((match) => ({
    name: match[1]!,
    version: match[2]!,
  }))
}

function unresolved(stderr: string, options: LockOptions): CellmillError {
  const reason = stderr
    .replaceAll(/\s+/g, ' ')
    .replace(/^.*?No solution found when resolving dependencies:/, '')
    .replace(/[╰─▶×]+/g, '')
    .trim()
  const offline = /dns error|connect|network|timed out|fetch/i.test(reason)
  return new CellmillError(
    'PACKAGES_FAILED',
    offline ? 'the package index cannot be reached' : `requirements.txt cannot be resolved: ${reason.slice(0, 400)}`,
    {
      hint: offline
        ? 'check the network, then  cellmill packages lock'
        : options.asOf === null
          ? 'change the package that is named in requirements.txt'
          : `choose a later day than ${options.asOf}`,
      details: { stderr: stderr.slice(-4000) },
    },
  )
}
