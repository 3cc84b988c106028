/** Interpreters, locks and environments, with real interpreters, real uv and, where it can be reached, the real index. */
import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { bareEnvironment } from './bare-environment.ts'
import { findPython } from './find-python.ts'
import { findUv, toolEnvironment } from './find-uv.ts'
import { inspectEnvironment } from './inspect-environment.ts'
import { whileLocked } from './install-lock.ts'
import { loadEnvironment } from './load-environment.ts'
import { lockPackages } from './lock-packages.ts'
import { runCommand } from './run-command.ts'
import { syncPackages } from './sync-packages.ts'
import { toolFailure } from './tool-failure.ts'
import { toolsEnvironment } from './tools-environment.ts'

const interpreter = await findPython()
const isOnline = await isIndexReachable()
let cache: string
let root: string

beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), 'cellmill-cache-'))
})

afterAll(() => rmSync(cache, { recursive: true, force: true }))

beforeEach(() => {
  vi.stubEnv('CELLMILL_CACHE', cache)
  root = mkdtempSync(join(tmpdir(), 'cellmill-packages-'))
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true, force: true })
})

async function isIndexReachable(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'cellmill-online-'))
  writeFileSync(join(folder, 'requirements.txt'), 'six==1.17.0\n')
  const options = { root: folder, interpreter, asOf: null, signal: AbortSignal.timeout(20_000) }
  return lockPackages(options)
    .then(
      () => true,
      () => false,
    )
    .finally(() => rmSync(folder, { recursive: true }))
}

/** A program that answers as Python `version` would, and counts how often it was asked. */
function fakePython(name: string, version: string): string {
  const file = join(root, name)
  const answer = JSON.stringify({ python: file, version, basePrefix: root, platform: 'linux-x86_64' })
  writeFileSync(file, `#!/bin/sh\necho x >> ${root}/asked\necho '${answer}'\n`)
  chmodSync(file, 0o755)
  return file
}

describe('the interpreter', () => {
  test('is the real one behind a shim, of a supported version', async () => {
    expect(interpreter.version).toMatch(/^3\.1[1-9]\./)
    expect(
      execFileSync(interpreter.python, ['-c', 'import sys; print(sys.base_prefix)'], { encoding: 'utf8' }).trim(),
    ).toBe(interpreter.basePrefix)
    expect(readFileSync(interpreter.python).subarray(0, 2).toString()).not.toBe('#!')
  })

  test('is the one that CELLMILL_PYTHON names, by path or by name', async () => {
    const python = fakePython('python3.99', '3.99.1')
    vi.stubEnv('CELLMILL_PYTHON', python)
    expect((await findPython()).version).toBe('3.99.1')
    vi.stubEnv('CELLMILL_PYTHON', 'python3.99')
    vi.stubEnv('PATH', `${root}:/usr/bin:/bin`)
    expect((await findPython()).python).toBe(python)
  })

  test('is refused with its version when it is too old, and said to be missing when there is none', async () => {
    vi.stubEnv('CELLMILL_PYTHON', fakePython('python3', '3.8.10'))
    await expect(findPython()).rejects.toMatchObject({
      code: 'PYTHON_NOT_FOUND',
      message: expect.stringContaining('3.8.10'),
    })
    vi.stubEnv('CELLMILL_PYTHON', join(root, 'nowhere'))
    await expect(findPython()).rejects.toMatchObject({ code: 'PYTHON_NOT_FOUND' })
    vi.stubEnv('CELLMILL_PYTHON', '')
    vi.stubEnv('PATH', root)
    rmSync(join(root, 'python3'))
    await expect(findPython()).rejects.toMatchObject({ hint: expect.stringContaining('CELLMILL_PYTHON') })
  })

  test('is asked once and then remembered until its file or the version manager’s choice changes', async () => {
    const python = fakePython('python3', '3.12.1')
    const asked = (): number => readFileSync(join(root, 'asked'), 'utf8').length / 2
    const ask = async (): Promise<void> => {
      // A PATH of its own each time, since one process asks once for each.
      vi.stubEnv('PATH', `${root}:/bin:/nowhere-${Math.random()}`)
      vi.stubEnv('CELLMILL_PYTHON', python)
      await findPython()
    }
    await ask()
    await ask()
    expect(asked()).toBe(1)
    utimesSync(python, new Date(), new Date(Date.now() + 5000))
    await ask()
    expect(asked()).toBe(2)
    vi.stubEnv('PYENV_VERSION', '3.13.0')
    await ask()
    expect(asked()).toBe(3)
  })
})

describe('a lock', () => {
  test.skipIf(!isOnline)('is exact, hashed, and installs once into an environment that later loads find', async () => {
    writeFileSync(join(root, 'requirements.txt'), 'six>=1.16\ntomli\n')
    const locked = await lockPackages({ root, interpreter, asOf: null })
    expect(locked.packages.map(({ name }) => name)).toEqual(['six', 'tomli'])
    expect(readFileSync(locked.file, 'utf8')).toMatch(/^# Locked for Python 3\.\d+\.\d+\. Made by/)
    await expect(loadEnvironment({ root })).rejects.toMatchObject({ code: 'PACKAGES_NOT_INSTALLED' })

    const [one, two] = await Promise.all([syncPackages({ root, interpreter }), syncPackages({ root, interpreter })])
    expect(two).toEqual(one)
    expect(one.distributions.map(({ name }) => name)).toEqual(['six', 'tomli'])
    expect(one.distributions.map(({ modules }) => modules.at(-1))).toEqual(['six', 'tomli'])
    expect(readdirSync(join(one.sitePackages, '__pycache__')).join()).toContain('six')
    const printed = execFileSync(one.python, ['-I', '-c', 'import six; print(six.__file__)'], { encoding: 'utf8' })
    expect(printed.trim()).toBe(join(one.sitePackages, 'six.py'))

    vi.stubEnv('PATH', `${root}:${process.env['PATH']}`)
    expect(await loadEnvironment({ root })).toEqual(one)
  })

  test.skipIf(!isOnline)('is refused when what is installed was changed by hand', async () => {
    writeFileSync(join(root, 'requirements.txt'), 'six==1.16.0\n')
    await lockPackages({ root, interpreter, asOf: null })
    const environment = await syncPackages({ root, interpreter })
    expect(await loadEnvironment({ root })).toEqual(environment)
    mkdirSync(join(environment.sitePackages, 'attrs-23.1.0.dist-info'))
    await expect(loadEnvironment({ root })).rejects.toMatchObject({
      code: 'PACKAGES_DRIFTED',
      message: expect.stringContaining('attrs-23.1.0 was added'),
    })
    rmSync(join(environment.sitePackages, 'attrs-23.1.0.dist-info'), { recursive: true })
    rmSync(join(environment.sitePackages, 'six-1.16.0.dist-info'), { recursive: true })
    await expect(loadEnvironment({ root })).rejects.toMatchObject({
      message: expect.stringContaining('six-1.16.0 is missing'),
    })
  })

  test.skipIf(!isOnline)('holds what was released by a day, or by the earliest day that resolves', async () => {
    writeFileSync(join(root, 'requirements.txt'), 'six\n')
    const old = await lockPackages({ root, interpreter, asOf: '2021-06-01' })
    expect([old.asOf, old.packages]).toEqual(['2021-06-01', [{ name: 'six', version: '1.16.0' }]])
    writeFileSync(join(root, 'requirements.txt'), 'six>=1.16\n')
    const later = await lockPackages({ root, interpreter, asOf: '2021-01-01' })
    expect([later.asOf, later.packages[0]?.version]).toEqual(['2021-05-05', '1.16.0'])
    expect(readFileSync(later.file, 'utf8')).toContain(
      'as of 2021-05-05 (the earliest that resolves; 2021-01-01 was asked for)',
    )
    await expect(lockPackages({ root, interpreter, asOf: 'yesterday' })).rejects.toMatchObject({ code: 'USAGE' })
  })

  test.skipIf(!isOnline)('fails with the package’s name and leaves the old lock as it was', async () => {
    writeFileSync(join(root, 'requirements.lock'), 'old')
    for (const [line, words] of [
      ['six==99.0', 'six==99.0'],
      ['no-such-package-of-cellmill', 'no-such-package-of-cellmill'],
      ['six ==== 1', 'six ==== 1'],
    ] as const) {
      writeFileSync(join(root, 'requirements.txt'), `${line}\n`)
      await expect(lockPackages({ root, interpreter, asOf: null })).rejects.toMatchObject({
        code: 'PACKAGES_FAILED',
        message: expect.stringContaining(words),
      })
    }
    expect(readdirSync(root).sort()).toEqual(['requirements.lock', 'requirements.txt'])
    expect(readFileSync(join(root, 'requirements.lock'), 'utf8')).toBe('old')
  })

  test('of folders and repositories is refused with the line', async () => {
    for (const line of ['-e .', './local', 'pkg @ git+https://example.com/pkg', '/opt/pkg']) {
      writeFileSync(join(root, 'requirements.txt'), `# ours\n${line}\n`)
      await expect(lockPackages({ root, interpreter, asOf: null })).rejects.toMatchObject({
        code: 'PACKAGES_FAILED',
        message: expect.stringContaining(line),
      })
    }
  })

  test('for another Python is refused before anything is installed', async () => {
    writeFileSync(join(root, 'requirements.lock'), '# Locked for Python 3.2.1. Made by: cellmill packages lock\n')
    for (const work of [loadEnvironment({ root }), syncPackages({ root, interpreter })]) {
      await expect(work).rejects.toMatchObject({
        code: 'PACKAGES_NOT_INSTALLED',
        message: expect.stringContaining('3.2'),
      })
    }
  })

  test.skipIf(!isOnline)('with a wrong hash installs nothing', async () => {
    const wrong = `six==1.16.0 --hash=sha256:${'0'.repeat(64)}\n`
    writeFileSync(join(root, 'requirements.lock'), wrong)
    await expect(syncPackages({ root, interpreter })).rejects.toMatchObject({
      code: 'PACKAGES_FAILED',
      message: expect.stringMatching(/six/),
    })
    await expect(loadEnvironment({ root })).rejects.toMatchObject({ code: 'PACKAGES_NOT_INSTALLED' })
  })

  test('says that the index cannot be reached, without the password in its address', async () => {
    writeFileSync(join(root, 'requirements.txt'), 'six\n')
    vi.stubEnv('UV_DEFAULT_INDEX', 'http://user:secret@127.0.0.1:9/simple')
    vi.stubEnv('UV_CACHE_DIR', join(root, 'cache'))
    vi.stubEnv('UV_HTTP_RETRIES', '0')
    const failure = lockPackages({ root, interpreter, asOf: null })
    await expect(failure).rejects.toMatchObject({
      code: 'PACKAGES_FAILED',
      message: expect.stringContaining('cannot be reached'),
    })
    await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining('secret') })
  })
})

describe('without a lock', () => {
  test('there is no environment, and the bare one holds the standard library alone', async () => {
    expect(await loadEnvironment({ root })).toBeNull()
    const bare = await bareEnvironment()
    expect([bare.distributions, bare.lockDigest]).toEqual([[], ''])
    expect(existsSync(bare.python)).toBe(true)
    expect(await bareEnvironment()).toEqual(bare)
  })

  test('an environment that was never finished is made again', async () => {
    const bare = await bareEnvironment()
    rmSync(join(bare.prefix, 'cellmill-environment.json'))
    rmSync(bare.python)
    expect(await bareEnvironment()).toEqual(bare)
    expect(existsSync(bare.python)).toBe(true)
  })
})

describe('an inspection', () => {
  /** An environment with one hand-made distribution. */
  function environmentWith(metadata: string, files: Readonly<Record<string, string>>): string {
    const prefix = join(root, 'venv')
    execFileSync(interpreter.python, ['-I', '-m', 'venv', '--without-pip', prefix])
    const site = join(prefix, 'lib', `python${interpreter.version.split('.').slice(0, 2).join('.')}`, 'site-packages')
    const info = join(site, 'Some_Thing-1.0.dist-info')
    mkdirSync(info)
    writeFileSync(join(info, 'METADATA'), metadata)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(info, name), text)
    return prefix
  }

  test('gives names as in PEP 503, import names, extras and entry points', async () => {
    const prefix = environmentWith(
      'Metadata-Version: 2.1\nName: Some_Thing\nVersion: 1.0\nRequires-Dist: numpy>=1.20\nRequires-Dist: Bottle.Neck[x]>=1; extra == "fast"\nRequires-Dist: nested; python_version > "3" and extra=="x"\n',
      {
        RECORD:
          'some/__init__.py,,\nsome/inner/x.py,,\nsingle.py,,\n_native.cpython-311-x86_64-linux-gnu.so,,\n../../../bin/tool,,\nSome_Thing-1.0.dist-info/METADATA,,\n__pycache__/single.pyc,,\n',
        'entry_points.txt': '[pandas_plotting_backends]\nx = some\n[console_scripts]\ntool = some:main\n',
      },
    )
    for (const place of [prefix, join(prefix, 'bin', 'python')]) {
      const environment = await inspectEnvironment(place)
      expect(environment.distributions).toEqual([
        {
          name: 'some-thing',
          version: '1.0',
          modules: ['_native', 'single', 'some'],
          requires: [
            'numpy>=1.20',
            'Bottle.Neck[x]>=1; extra == "fast"',
            'nested; python_version > "3" and extra=="x"',
          ],
          optional: ['bottle-neck', 'nested'],
          entryPointGroups: ['console_scripts', 'pandas_plotting_backends'],
          contentDigest: null,
        },
      ])
      expect([environment.prefix, environment.basePrefix]).toEqual([prefix, interpreter.basePrefix])
      expect(environment.python).toBe(join(prefix, 'bin', 'python'))
    }
  })

  test('digests the content of what was installed from a folder', async () => {
    const source = join(root, 'source')
    mkdirSync(source)
    writeFileSync(join(source, 'module.py'), 'x = 1\n')
    const prefix = environmentWith('Metadata-Version: 2.1\nName: Some_Thing\nVersion: 1.0\n', {
      'direct_url.json': JSON.stringify({ url: `file://${source}`, dir_info: { editable: true } }),
    })
    const digest = async (): Promise<string | null> =>
      (await inspectEnvironment(prefix)).distributions[0]?.contentDigest ?? null
    const before = await digest()
    expect(before).toMatch(/^[0-9a-f]{64}$/)
    writeFileSync(join(source, 'module.py'), 'x = 2\n')
    expect(await digest()).not.toBe(before)
  })

  test('of something that is no interpreter says so', async () => {
    await expect(inspectEnvironment(join(root, 'nothing'))).rejects.toMatchObject({ code: 'PACKAGES_FAILED' })
    await expect(inspectEnvironment(root)).rejects.toMatchObject({ code: 'PACKAGES_FAILED' })
    symlinkSync('/bin/false', join(root, 'python'))
    await expect(inspectEnvironment(join(root, 'python'))).rejects.toMatchObject({ code: 'PACKAGES_FAILED' })
  })
})

describe('the tools', () => {
  test.skipIf(!isOnline || process.env['CELLMILL_FULL'] !== '1')('hold a kernel and cloudpickle', async () => {
    const site = await toolsEnvironment(interpreter)
    expect(existsSync(join(site, 'ipykernel')) && existsSync(join(site, 'cloudpickle'))).toBe(true)
  })

  test('get no variable that would change what is resolved', () => {
    vi.stubEnv('UV_PRERELEASE', 'allow')
    vi.stubEnv('UV_PYTHON', '3.8')
    vi.stubEnv('PIP_TARGET', '/elsewhere')
    vi.stubEnv('PYTHONPATH', '/elsewhere')
    vi.stubEnv('UV_INDEX_URL', 'https://index.example')
    vi.stubEnv('HTTPS_PROXY', 'http://proxy')
    const environment = toolEnvironment()
    expect(environment).toMatchObject({
      UV_INDEX_URL: 'https://index.example',
      HTTPS_PROXY: 'http://proxy',
      UV_PYTHON_DOWNLOADS: 'never',
    })
    expect(Object.keys(environment).filter((name) => /PRERELEASE|UV_PYTHON$|TARGET|PYTHONPATH/.test(name))).toEqual([])
  })

  test('are found on PATH, unless a program of that name is something else', async () => {
    const uv = await findUv()
    expect((await runCommand(uv, ['--version'])).stdout).toMatch(/^uv /)
    writeFileSync(join(root, 'uv'), '#!/bin/sh\necho 4.2 of something else\n')
    chmodSync(join(root, 'uv'), 0o755)
    vi.stubEnv('PATH', `${root}:${process.env['PATH']}`)
    const again = await findUv()
    expect(again).not.toBe(join(root, 'uv'))
    expect((await runCommand(again, ['--version'])).stdout).toMatch(/^uv /)
  })

  test('that run out of disk are told apart', () => {
    const failure = {
      stderr: 'error: failed\n  cause: No space left on device (os error 28)',
      message: 'x',
      hint: 'y',
      again: 'z',
    }
    expect(toolFailure(failure)).toMatchObject({ code: 'DISK_FULL' })
  })
})

describe('the lock of an installation', () => {
  test('lets one in at a time', async () => {
    let inside = 0
    const work = async (): Promise<void> => {
      inside += 1
      expect(inside).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 20))
      inside -= 1
    }
    await Promise.all([1, 2, 3].map(() => whileLocked(join(root, 'environment'), undefined, work)))
    expect(readdirSync(root)).toEqual([])
  })

  test('is taken over from a process that was killed', async () => {
    const child = spawn('/bin/sleep', ['60'])
    const text = JSON.stringify({ host: (await import('node:os')).hostname(), pid: child.pid })
    writeFileSync(join(root, 'environment.lock'), text)
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
    expect(await whileLocked(join(root, 'environment'), undefined, async () => 'done')).toBe('done')
  })

  test('is waited for while its owner lives, until the command is interrupted', async () => {
    const text = JSON.stringify({ host: (await import('node:os')).hostname(), pid: process.ppid })
    writeFileSync(join(root, 'environment.lock'), text)
    const waiting = whileLocked(join(root, 'environment'), AbortSignal.timeout(300), async () => 'done')
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
