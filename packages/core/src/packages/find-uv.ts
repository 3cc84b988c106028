/** uv, which resolves and installs: on PATH, else installed once into a small environment in the cache. */
import { existsSync, statSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { CellmillError } from '../errors.ts'
import { cacheFolder } from './cache-folder.ts'
import { findPython } from './find-python.ts'
import { runCommand } from './run-command.ts'

const uvVersion = '0.13.9'

let found: Promise<string> | undefined

/** Absolute path of the program. Throws PACKAGES_FAILED when it cannot be had. */
export function findUv(): Promise<string> {
  found ??= search()
  return found
}

async function search(): Promise<string> {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    const file = path.join(folder, 'uv')
    // npm has an unrelated package of this name; ours is a native program.
    if (
      folder !== '' &&
      !folder.includes('node_modules') &&
      statSync(file, { throwIfNoEntry: false })?.isFile() === true
    )
      return file
  }
  const kept = path.join(cacheFolder(), `uv-${uvVersion}`)
  const uv = path.join(kept, 'bin', 'uv')
  if (existsSync(uv)) return uv
  await install(kept)
  return uv
}

async function install(target: string): Promise<void> {
  const { python } = await findPython()
  const temporary = `${target}.${process.pid}`
  await mkdir(path.dirname(target), { recursive: true })
  await rm(temporary, { recursive: true, force: true })
  const pip = await makeVenv(python, temporary)
  const installed = await runCommand(
    pip[0]!,
    [...pip.slice(1), 'install', '--quiet', '--disable-pip-version-check', `uv==${uvVersion}`],
    { env: proxyEnvironment() },
  )
  if (installed.code !== 0) throw failed('uv could not be installed', installed.stderr)
  await rename(temporary, target).catch(async (error: unknown) => {
    // Another process was faster.
    await rm(temporary, { recursive: true, force: true })
    if (!existsSync(target)) throw error
  })
}

/** The command that installs into the new environment. */
async function makeVenv(python: string, folder: string): Promise<readonly string[]> {
  const plain = await runCommand(python, ['-I', '-m', 'venv', folder])
  const inside = path.join(folder, 'bin', 'python')
  if (plain.code === 0) return [inside, '-m', 'pip']
  // Debian keeps ensurepip in a package of its own; the system's pip can install into a bare environment.
  await rm(folder, { recursive: true, force: true })
  const bare = await runCommand(python, ['-I', '-m', 'venv', '--without-pip', folder])
  const pip = await runCommand('python3', ['-m', 'pip', '--version']).catch(() => null)
  if (bare.code !== 0 || pip === null || pip.code !== 0)
    throw failed('neither uv nor pip is on this machine', plain.stderr)
  return ['python3', '-m', 'pip', '--python', inside]
}

function failed(message: string, stderr: string): CellmillError {
  return new CellmillError('PACKAGES_FAILED', message, {
    hint: 'pip install uv   or   apt install python3-venv',
    details: { stderr: stderr.slice(-2000) },
  })
}

/** What package tools need of our environment to reach an index: proxies, indexes, certificates. */
export function proxyEnvironment(): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) {
    if (
      value !== undefined &&
      /^(?:https?_proxy|no_proxy|all_proxy|pip_|uv_|ssl_cert|requests_ca|xdg_cache|tmpdir|lang|lc_)/i.test(name)
    )
      kept[name] = value
  }
  return { ...kept, UV_PYTHON_DOWNLOADS: 'never', UV_NO_PROGRESS: '1' }
}
