/** uv, which resolves and installs: on PATH, else installed once into a small environment in the cache. */
import { existsSync, statSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { CellmillError } from '../errors.ts'
import { cacheFolder } from './cache-folder.ts'
import { findPython } from './find-python.ts'
import { runCommand } from './run-command.ts'

const uvVersion = '0.13.9'
/** The first with every option that we use. */
const oldestUv = [0, 5] as const

const found = new Map<string, Promise<string>>()

/** Absolute path of the program. Throws PACKAGES_FAILED when it cannot be had. */
export function findUv(): Promise<string> {
  const key = process.env['PATH'] ?? ''
  const known = found.get(key) ?? search()
  found.set(key, known)
  known.catch(() => found.delete(key))
  return known
}

async function search(): Promise<string> {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    // npm has an unrelated package of this name.
    if (folder === '' || folder.includes('node_modules')) continue
    const file = path.resolve(folder, 'uv')
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === true && (await isUsable(file))) return file
  }
  const kept = path.join(cacheFolder(), `uv-${uvVersion}`)
  const uv = path.join(kept, 'bin', 'uv')
  if (!existsSync(uv)) await install(kept)
  return uv
}

async function isUsable(file: string): Promise<boolean> {
  const answer = await runCommand(file, ['--version'], { timeoutMs: 30_000 }).catch(() => null)
  const version = /^uv (\d+)\.(\d+)/.exec(answer?.stdout ?? '')
  if (answer?.code !== 0 || version === null) return false
  const [major, minor] = [Number(version[1]), Number(version[2])]
  return major > oldestUv[0] || (major === oldestUv[0] && minor >= oldestUv[1])
}

async function install(target: string): Promise<void> {
  const { python } = await findPython()
  const temporary = `${target}.${process.pid}`
  await mkdir(path.dirname(target), { recursive: true })
  await rm(temporary, { recursive: true, force: true })
  try {
    const [pip = '', ...args] = await makeVenv(python, temporary)
    const installed = await runCommand(
      pip,
      [...args, 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:', `uv==${uvVersion}`],
      { env: toolEnvironment() },
    )
    if (installed.code !== 0) throw failed('uv could not be installed', installed.stderr)
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    // Another process was faster.
    if (!existsSync(target)) throw error
  }
}

/** The command that installs into the new environment. */
async function makeVenv(python: string, folder: string): Promise<readonly string[]> {
  const plain = await runCommand(python, ['-I', '-m', 'venv', folder])
  const inside = path.join(folder, 'bin', 'python')
  if (plain.code === 0) return [inside, '-I', '-m', 'pip']
  // Debian keeps ensurepip in a package of its own; the system's pip can install into a bare environment.
  await rm(folder, { recursive: true, force: true })
  const bare = await runCommand(python, ['-I', '-m', 'venv', '--without-pip', folder])
  const pip = await runCommand('python3', ['-m', 'pip', '--version']).catch(() => null)
  if (bare.code !== 0 || pip?.code !== 0) throw failed('neither uv nor pip is on this machine', plain.stderr)
  return ['python3', '-m', 'pip', '--python', inside]
}

function failed(message: string, stderr: string): CellmillError {
  return new CellmillError('PACKAGES_FAILED', message, {
    hint: 'pip install uv   or   apt install python3-venv',
    details: { stderr: stderr.slice(-2000) },
  })
}

/**
 * What package tools get of our environment: how to reach an index, where to cache, how to show messages. What would
 * change the answer (UV_PRERELEASE, UV_CONSTRAINT, PIP_TARGET) is left out: a lock must not depend on a shell.
 */
const passedOn = new RegExp(
  [
    '^(?:https?|no|all|ftp)_proxy$',
    '^(?:ssl_cert_(?:file|dir)|requests_ca_bundle|curl_ca_bundle|netrc|tmpdir|lang|lc_\\w+|xdg_\\w+)$',
    '^pip_(?:index_url|extra_index_url|find_links|cert|client_cert|trusted_host|default_timeout|retries|config_file|no_index)$',
    '^uv_(?:index\\w*|default_index|extra_index_url|find_links|no_index|cache_dir|no_cache|offline|http_\\w+|request_\\w+)$',
    '^uv_(?:native_tls|system_certs|insecure_host|keyring_provider|link_mode|config_file|concurrent_\\w+)$',
  ].join('|'),
  'i',
)

export function toolEnvironment(): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && passedOn.test(name)) kept[name] = value
  }
  return { ...kept, UV_PYTHON_DOWNLOADS: 'never', UV_NO_PROGRESS: '1', NO_COLOR: '1' }
}
