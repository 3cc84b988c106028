/** The sandbox's contract on all three levels, as root and as an ordinary user, and what only one level keeps. */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isCellmillError } from '../../errors.ts'
import { findPython } from '../../packages/find-python.ts'
import { bubblewrapSandbox } from './bubblewrap/bubblewrap-sandbox.ts'
import { allDenied, probe, python, ran, specFor } from './contract-kit.ts'
import type { SandboxUnderTest } from './contract-kit.ts'
import { sandboxContract } from './contract.ts'
import { openSandbox } from './open-sandbox.ts'
import type { Sandbox, SandboxLevel } from './sandbox.ts'

const found = await findPython()

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cellmill-sandbox-')))
  mkdirSync(join(folder, 'work'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The sandbox, or why there is none. */
async function openLevel(level: SandboxLevel): Promise<Sandbox | string> {
  process.env['CELLMILL_SANDBOX_LEVEL'] = level
  try {
    return await openSandbox({ mode: 'auto', python: found.python, graceMs: 400 })
  } catch (error) {
    if (isCellmillError(error, 'SANDBOX_UNAVAILABLE')) return error.message
    throw error
  } finally {
    delete process.env['CELLMILL_SANDBOX_LEVEL']
  }
}

function testOn(sandbox: Sandbox | string, name: string, run: (under: SandboxUnderTest) => Promise<void>): void {
  test.concurrent(name, async (context) => {
    if (typeof sandbox === 'string') return context.skip(sandbox)
    return inFolder((folder) => run({ sandbox, python: found.python, basePrefix: found.basePrefix, folder }))
  })
}

for (const level of ['bubblewrap', 'landlock', 'none'] as const) {
  const sandbox = await openLevel(level)
  describe(level, () => {
    const cases = level === 'none' ? sandboxContract.life : [...sandboxContract.life, ...sandboxContract.walls]
    for (const { name, run } of cases) testOn(sandbox, name, run)
  })
}

const bubblewrap = await openLevel('bubblewrap')

describe('bubblewrap alone', () => {
  testOn(bubblewrap, 'shows one user, no other processes, an own host name, and no /home or /sys', async (under) => {
    const script = `import os, socket, pwd, json
print(json.dumps([os.getuid(), pwd.getpwuid(os.getuid()).pw_name, socket.gethostname(), socket.gethostbyname('localhost'),
  sum(name.isdigit() for name in os.listdir('/proc')) <= 3, os.path.exists('/sys'), os.path.exists('/home')]))`
    const { stdout, stderr } = await python(under, script)
    expect(stderr).toBe('')
    expect(JSON.parse(stdout.toString())).toEqual([10001, 'step', 'step', '127.0.0.1', true, false, false])
  })

  testOn(bubblewrap, 'leaves the environment of its first process empty, limited or not', async (under) => {
    for (const maxProcesses of [null, 100]) {
      const { stdout } = await ran(under, { args: ['-c', 'cat /proc/1/environ'], maxProcesses })
      expect(stdout.toString().replace('PWD=/\0', '')).toBe('')
    }
  })

  testOn(bubblewrap, 'gives each process small /tmp and /dev/shm of its own', async (under) => {
    const fill = `import os
for place in ('/tmp', '/dev/shm'):
    try:
        with open(place + '/fill', 'wb') as stream:
            for _ in range(600): stream.write(bytes(1_000_000))
        print('filled')
    except OSError as error: print(error.errno)
    os.truncate(place + '/fill', 0)`
    expect((await python(under, fill)).stdout.toString()).toBe('28\n28\n')
    expect((await ran(under, { args: ['-c', 'ls -A /tmp /dev/shm'] })).stdout.toString()).not.toContain('fill')
  })

  testOn(bubblewrap, 'moves what is bound to where the spec says', async (under) => {
    writeFileSync(join(under.folder, 'data'), 'content')
    const bind = { source: join(under.folder, 'data'), target: '/inputs/orders/data', writable: false }
    expect(under.sandbox.inside(bind)).toBe('/inputs/orders/data')
    expect(await probe(under, ['read=/inputs/orders/data'], { binds: [bind] })).toEqual({
      'read=/inputs/orders/data': "b'content'",
    })
    await allDenied(under, ['write=/inputs/orders/data', 'write=/inputs/new'], { binds: [bind] })
  })

  testOn(bubblewrap, 'lets servers and clients of one step talk over its own loopback', async (under) => {
    const script = `import socket
server = socket.create_server(('127.0.0.1', 0)); client = socket.create_connection(server.getsockname()); print('met')`
    expect((await python(under, script)).stdout.toString()).toBe('met\n')
  })

  test.skipIf(process.getuid?.() !== 0)('says which folder of another user root’s step could not write to', () =>
    inFolder(async (folder) => {
      if (typeof bubblewrap === 'string') return
      chownSync(join(folder, 'work'), 65534, 65534)
      const under = { sandbox: bubblewrap, python: found.python, basePrefix: found.basePrefix, folder }
      expect(() => bubblewrap.spawn(specFor(under))).toThrow(/belongs to another user \(65534\)/)
    }),
  )
})

describe('bubblewrap without control groups', () => {
  const sandbox =
    typeof bubblewrap === 'string'
      ? bubblewrap
      : bubblewrapSandbox({ bwrap: '/usr/bin/bwrap', groups: null, graceMs: 400 })

  testOn(sandbox, 'ends a process tree that holds more memory than it may', async (under) => {
    const { exit } = await python(under, 'b = bytearray(600_000_000)\nimport time; time.sleep(20)', {
      memoryBytes: 150_000_000,
    })
    expect(exit.reason).toBe('out-of-memory')
    expect(exit.peakMemoryBytes).toBeGreaterThan(150_000_000)
  })

  testOn(sandbox, 'counts memory that forked processes share once', async (under) => {
    const script = `import os, time
b = b'x' * 80_000_000
for _ in range(4):
    if os.fork() == 0: time.sleep(0.6); os._exit(0)
time.sleep(0.5)`
    expect((await python(under, script, { memoryBytes: 200_000_000 })).exit.reason).toBe('exited')
  })

  testOn(sandbox, 'keeps a fork bomb small', async (under) => {
    const script = `import os, time
for _ in range(300):
    if os.fork() == 0: time.sleep(30); os._exit(0)
    time.sleep(0.002)
time.sleep(30)`
    const { exit } = await python(under, script, { maxProcesses: 40 })
    // Root is exempt from the kernel's count, so that the watch ends it; others run into EAGAIN.
    expect(exit.reason === 'process-limit' || exit.code === 1).toBe(true)
  })
})

describe('an ordinary user', () => {
  const systemPython = '/usr/bin/python3'
  const canSwitch = process.getuid?.() === 0 && existsSync('/usr/bin/setpriv') && existsSync(systemPython)
  for (const level of ['bubblewrap', 'landlock'] as const) {
    test.skipIf(!canSwitch)(`has the same walls by ${level}`, () =>
      inFolder(async (folder) => {
        chmodSync(folder, 0o777)
        const contract = new URL('contract.ts', import.meta.url).href
        const open = new URL('open-sandbox.ts', import.meta.url).href
        writeFileSync(
          join(folder, 'run.mjs'),
          `import { mkdirSync, mkdtempSync } from 'node:fs'
const { sandboxContract } = await import(${JSON.stringify(contract)})
const { openSandbox } = await import(${JSON.stringify(open)})
const sandbox = await openSandbox({ mode: 'auto', python: ${JSON.stringify(systemPython)}, graceMs: 400 })
await Promise.all(sandboxContract.walls.map(async ({ name, run }) => {
  const folder = mkdtempSync(${JSON.stringify(join(folder, 'case-'))})
  mkdirSync(folder + '/work')
  await run({ sandbox, python: ${JSON.stringify(systemPython)}, basePrefix: '/usr', folder })
    .then(() => console.log('ok ' + name), (error) => console.log('FAILED ' + name + '\\n' + error.stack))
}))`,
        )
        const text = execFileSync(
          '/usr/bin/setpriv',
          ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, join(folder, 'run.mjs')],
          {
            encoding: 'utf8',
            env: { CELLMILL_SANDBOX_LEVEL: level, CELLMILL_CACHE: join(folder, 'cache'), NODE_NO_WARNINGS: '1' },
          },
        )
        expect(text).not.toContain('FAILED')
        expect(text.match(/^ok /gm)).toHaveLength(sandboxContract.walls.length)
      }),
    )
  }
})

test('a level that does not exist or does not work is refused, and off means none', async () => {
  process.env['CELLMILL_SANDBOX_LEVEL'] = 'chroot'
  await expect(openSandbox({ mode: 'auto', python: null })).rejects.toMatchObject({ code: 'USAGE' })
  process.env['CELLMILL_SANDBOX_LEVEL'] = 'landlock'
  await expect(openSandbox({ mode: 'auto', python: null })).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE' })
  process.env['CELLMILL_SANDBOX_LEVEL'] = 'none'
  await expect(openSandbox({ mode: 'require', python: null })).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE' })
  expect((await openSandbox({ mode: 'auto', python: null })).level).toBe('none')
  delete process.env['CELLMILL_SANDBOX_LEVEL']
  expect((await openSandbox({ mode: 'off', python: null })).level).toBe('none')
})

test.skipIf(!existsSync('/usr/bin/bwrap'))(
  'without user namespaces the walls are Landlock’s, and there are none without Python',
  () =>
    inFolder(async (folder) => {
      const file = join(folder, 'open.mjs')
      writeFileSync(
        file,
        `const { openSandbox } = await import(${JSON.stringify(new URL('open-sandbox.ts', import.meta.url).href)})
const level = (mode, python) => openSandbox({ mode, python }).then((sandbox) => sandbox.level, (error) => error.code)
const python = ${JSON.stringify(found.python)}
console.log([await level('require', python), await level('auto', null), await level('require', null)].join(' '))`,
      )
      const nested = ['--unshare-user', '--disable-userns', '--dev-bind', '/', '/', process.execPath, file]
      const text = execFileSync('/usr/bin/bwrap', nested, { encoding: 'utf8', env: { NODE_NO_WARNINGS: '1' } })
      expect(text.trim()).toBe('landlock none SANDBOX_UNAVAILABLE')
    }),
)
