/** From start to end: what is handed over, how a process ends, and that nothing of it stays. On every level. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isCellmillError } from '../../errors.ts'
import { escaping, openSandboxUrl, probes, python, ran, same, specFor, stopsTicking } from './contract-kit.ts'
import type { SandboxCase } from './contract-kit.ts'
import type { SandboxSpec } from './sandbox.ts'

export const lifeCases: readonly SandboxCase[] = [
  {
    name: 'gives the command its arguments, folder and variables as they are, and nothing of ours',
    run: async (under) => {
      process.env['CELLMILL_CANARY'] = 'canary-of-the-launcher'
      const odd = 'a "b" $HOME `id` \n*'
      const { stdout } = await python(
        under,
        'import os, sys, json; print(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]))',
        {
          args: [
            '-I',
            '-c',
            'import os, sys, json; print(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]))',
            odd,
            '--size',
          ],
          env: { PATH: '/usr/bin:/bin', ODD: odd, EMPTY: '' },
        },
      )
      const [args, cwd, env] = JSON.parse(stdout.toString('utf8')) as [string[], string, Record<string, string>]
      assert.deepEqual(args, [odd, '--size'])
      assert.equal(cwd, path.join(under.folder, 'work'))
      // PWD and the mark are the launchers'; LC_CTYPE is Python's own.
      const { PWD: _pwd, CELLMILL_PROCESS: _mark, LC_CTYPE: _ctype, ...rest } = env
      assert.deepEqual(rest, { PATH: '/usr/bin:/bin', ODD: odd, EMPTY: '' })
    },
  },
  {
    name: 'tells an exit code from a signal',
    run: async (under) => {
      const code = await ran(under, { args: ['-c', 'exit 7'] })
      assert.deepEqual([code.exit.code, code.exit.signal, code.exit.reason], [7, null, 'exited'])
      const signal = await ran(under, { args: ['-c', 'kill -SEGV $$'] })
      assert.deepEqual([signal.exit.code, signal.exit.signal, signal.exit.reason], [null, 'SIGSEGV', 'exited'])
    },
  },
  {
    name: 'has delivered all output when the process has ended, also to a listener that came late',
    run: async (under) => {
      const { stdout, stderr } = await ran(under, { args: ['-c', 'head -c 3000000 /dev/zero; echo last >&2'] })
      assert.equal(stdout.length, 3_000_000)
      assert.equal(stderr, 'last\n')
      const late = under.sandbox.spawn(specFor(under, { args: ['-c', 'echo early'] }))
      await late.exited
      const seen: string[] = []
      late.onOutput((_, chunk) => seen.push(chunk.toString('utf8')))
      assert.deepEqual(seen, ['early\n'])
    },
  },
  {
    name: 'carries lines to stdin and back from descriptor 3, and hands over no other descriptor',
    run: async (under) => {
      const started = under.sandbox.spawn(
        specFor(under, {
          command: under.python,
          args: [
            '-I',
            '-c',
            `import sys, os, subprocess
for line in sys.stdin: os.write(3, ('back ' + line).encode()); break
os.write(3, b'\\xff\\xfe\\n'); sys.stdout.flush()
os.execv(sys.executable, [sys.executable, '-I', ${JSON.stringify(probes)}, 'descriptors=3'])`,
          ],
          control: 'pipe',
        }),
      )
      const lines: string[] = []
      let stdout = ''
      started.onControl((line) => lines.push(line))
      started.onOutput((_, chunk) => (stdout += chunk.toString('utf8')))
      started.send(JSON.stringify({ é: 1 }))
      assert.equal((await started.exited).code, 0, stdout)
      assert.deepEqual(lines, ['back {"é":1}', '\ufffd\ufffd'])
      assert.match(stdout, /denied: none/)
    },
  },
  {
    name: 'kills a process whose control line has no end',
    run: async (under) => {
      const started = under.sandbox.spawn(
        specFor(under, { args: ['-c', 'head -c 200000000 /dev/zero >&3; sleep 60'], control: 'pipe' }),
      )
      const lines: string[] = []
      started.onControl((line) => lines.push(line))
      assert.equal((await started.exited).reason, 'output-limit')
      assert.deepEqual(lines, [])
    },
  },
  {
    name: 'survives what is sent to a process that has closed its ears or ended',
    run: async (under) => {
      const deaf = under.sandbox.spawn(specFor(under, { args: ['-c', 'exec 0<&-; sleep 0.3'], control: 'pipe' }))
      for (let i = 0; i < 50; i += 1) {
        deaf.send('x'.repeat(100_000))
        await sleep(5)
      }
      assert.equal((await deaf.exited).code, 0)
      deaf.send('after the end')
      deaf.kill('cancelled')
    },
  },
  {
    name: 'ends a process at its time limit with TERM, which it may use to clean up',
    run: async (under) => {
      const { exit, stdout } = await ran(under, {
        args: ['-c', 'trap "echo cleaned; exit 0" TERM; echo ready; while :; do sleep 0.05; done'],
        timeoutMs: 700,
      })
      assert.equal(exit.reason, 'time-limit')
      assert.equal(stdout.toString('utf8'), 'ready\ncleaned\n')
    },
  },
  {
    name: 'kills one that ignores TERM, with all its children in sessions of their own',
    run: async (under) => {
      const { exit } = await python(
        under,
        `${escaping}
import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(600)`,
        { timeoutMs: 900 },
      )
      assert.equal(exit.reason, 'time-limit')
      await stopsTicking(under)
    },
  },
  {
    name: 'does not wait for children that hold the output, and leaves none of them behind',
    run: async (under) => {
      const { exit } = await python(under, escaping)
      assert.deepEqual([exit.code, exit.reason], [0, 'exited'])
      await stopsTicking(under)
    },
  },
  {
    name: 'cuts the output at exactly its limit and kills',
    run: async (under) => {
      const { exit, stdout } = await ran(under, {
        args: ['-c', 'head -c 1000000000 /dev/zero; sleep 60'],
        maxOutputBytes: 1_000_001,
      })
      assert.equal(exit.reason, 'output-limit')
      assert.equal(stdout.length, 1_000_001)
    },
  },
  {
    name: 'cancels when the signal fires, before the start and during it',
    run: async (under) => {
      const before = await ran(under, { args: ['-c', 'sleep 60'] }, AbortSignal.abort())
      assert.equal(before.exit.reason, 'cancelled')
      const during = await ran(under, { args: ['-c', 'sleep 60'] }, AbortSignal.timeout(200))
      assert.equal(during.exit.reason, 'cancelled')
      const twice = under.sandbox.spawn(specFor(under, { args: ['-c', 'trap "" TERM; while :; do sleep 1; done'] }))
      twice.kill('cancelled')
      twice.kill('time-limit')
      assert.equal((await twice.exited).reason, 'cancelled')
    },
  },
  {
    name: 'says that a process was ended for its memory, also when a child of it took it',
    run: async (under) => {
      const hungry = 'b = bytearray(600_000_000)\nimport time; time.sleep(20)'
      const own = await python(under, hungry, { memoryBytes: 150_000_000 })
      assert.equal(own.exit.reason, 'out-of-memory')
      const child = await python(
        under,
        `import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-I', '-c', ${JSON.stringify(hungry)}]).returncode != 0)`,
        {
          memoryBytes: 150_000_000,
        },
      )
      assert.equal(child.exit.reason, 'out-of-memory')
      const modest = await python(under, 'b = bytearray(60_000_000)', { memoryBytes: 150_000_000 })
      assert.deepEqual([modest.exit.code, modest.exit.reason], [0, 'exited'])
    },
  },
  {
    name: 'keeps a fork bomb small and leaves none of it behind',
    run: async (under) => {
      const { stdout } = await python(
        under,
        `import os, time, sys
made = 0
for _ in range(400):
    try:
        if os.fork() == 0:
            while True:
                with open('ticks', 'a') as stream: stream.write('x')
                time.sleep(0.1)
        made += 1
    except OSError: break
    time.sleep(0.002)
print(made, flush=True)`,
        { maxProcesses: 40 },
      )
      const made = stdout.toString('utf8').trim()
      assert.ok(made === '' || Number(made) <= 44, `made ${made}`)
      await stopsTicking(under)
    },
  },
  {
    name: 'limits processor time and the size of files',
    run: async (under) => {
      if (!existsSync('/usr/bin/prlimit')) return
      const busy = await python(under, 'while True: pass', { cpuSeconds: 1 })
      assert.deepEqual([busy.exit.signal, busy.exit.reason], ['SIGXCPU', 'time-limit'])
      const large = await python(
        under,
        `
try: open('large', 'wb').write(bytes(2_000_000))
except OSError as error: print(error.errno)`,
        { maxFileBytes: 1_000_000 },
      )
      assert.equal(large.stdout.toString('utf8'), '27\n')
    },
  },
  {
    name: 'says what could not be started instead of failing itself',
    run: async (under) => {
      for (const patch of [{ command: '/usr/bin/no-such-program' }, { cwd: '/no/such/folder' }]) {
        const { exit, stderr } = await ran(under, patch)
        assert.notEqual(exit.code, 0)
        assert.notEqual(stderr, '')
      }
    },
  },
  {
    name: 'refuses folders that are not there, NUL bytes and the whole file system',
    run: async (under) => {
      const refused = (patch: Partial<SandboxSpec>): void => {
        assert.throws(
          () => under.sandbox.spawn(specFor(under, patch)),
          (error) => isCellmillError(error, 'SANDBOX_FAILED'),
        )
      }
      refused({ binds: [same(path.join(under.folder, 'missing'))] })
      refused({ binds: [same('/')] })
      refused({ env: { A: 'x\0--bind\0/\0/' } })
      refused({ env: { 'A=B': '' } })
      refused({ args: ['a\0b'] })
      refused({ command: 'sh' })
      symlinkSync('/nowhere', path.join(under.folder, 'dangling'))
      refused({ binds: [same(path.join(under.folder, 'dangling'))] })
    },
  },
  {
    name: 'starts an interpreter that is a link to another folder',
    run: async (under) => {
      const venv = path.join(under.folder, 'venv')
      mkdirSync(path.join(venv, 'bin'), { recursive: true })
      symlinkSync(under.python, path.join(venv, 'bin', 'python'))
      writeFileSync(path.join(venv, 'pyvenv.cfg'), `home = ${path.dirname(under.python)}\n`)
      const { stdout, stderr } = await ran(under, {
        command: path.join(venv, 'bin', 'python'),
        args: ['-I', '-c', 'import sys; print(sys.prefix)'],
        binds: [same(venv)],
      })
      assert.equal(stdout.toString('utf8').trim(), venv, stderr)
    },
  },
  {
    name: 'writes to a bound folder inside a read-only one',
    run: async (under) => {
      const inner = path.join(under.folder, 'outer', 'inner')
      mkdirSync(inner, { recursive: true })
      const binds = [{ ...same(inner), writable: true }, same(path.join(under.folder, 'outer'))]
      const { exit, stderr } = await ran(under, { args: ['-c', `echo kept > ${inner}/file`], binds })
      assert.equal(exit.code, 0, stderr)
      assert.equal(readFileSync(path.join(inner, 'file'), 'utf8'), 'kept\n')
    },
  },
  {
    name: 'passes on no descriptor that its launcher had inherited',
    run: async (under) => {
      const secret = path.join(under.folder, 'secret')
      writeFileSync(secret, 'canary-in-a-file')
      const program = `
import { openSandbox } from ${JSON.stringify(openSandboxUrl)}
const sandbox = await openSandbox({ mode: 'auto', python: ${JSON.stringify(under.python)} })
const spec = ${JSON.stringify(specFor(under, { command: under.python, args: ['-I', probes, 'descriptors=2', 'read=/proc/self/fd/77'] }))}
const started = sandbox.spawn(spec)
started.onOutput((_, chunk) => process.stdout.write(chunk))
await started.exited`
      const file = path.join(under.folder, 'launch.mjs')
      writeFileSync(file, program)
      const text = execFileSync(
        '/bin/bash',
        ['--norc', '-c', `exec 77<${secret} 9<${secret}; exec "$0" "$1"`, process.execPath, file],
        {
          encoding: 'utf8',
          env: { CELLMILL_SANDBOX_LEVEL: under.sandbox.level, NODE_NO_WARNINGS: '1' },
        },
      )
      assert.match(text, /denied: none/)
      assert.doesNotMatch(text, /canary/)
    },
  },
]
