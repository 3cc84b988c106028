/** What a process cannot see, reach or change. On the levels that have walls. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startOf } from './process-tree.ts'
import { allDenied, escaping, openSandboxUrl, probe, ran, same, specFor, stopsTicking } from './contract-kit.ts'
import type { SandboxCase } from './contract-kit.ts'

export const wallCases: readonly SandboxCase[] = [
  {
    name: 'ends all processes when the one who started them is killed',
    run: async (under) => {
      const program = `
import { openSandbox } from ${JSON.stringify(openSandboxUrl)}
const sandbox = await openSandbox({ mode: 'require', python: ${JSON.stringify(under.python)} })
const started = sandbox.spawn(${JSON.stringify(specFor(under, { command: under.python, args: ['-I', '-c', `${escaping}\ntime.sleep(60)`] }))})
process.stdout.write(String(started.pid) + '\\n')`
      const file = path.join(under.folder, 'launch.mjs')
      writeFileSync(file, program)
      const child = spawn(process.execPath, [file], {
        env: { CELLMILL_SANDBOX_LEVEL: under.sandbox.level, NODE_NO_WARNINGS: '1' },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const pid = await new Promise<number>((resolve) =>
        child.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk))),
      )
      const ticks = path.join(under.folder, 'work', 'ticks')
      while (!existsSync(ticks)) await sleep(20)
      child.kill('SIGKILL')
      for (let i = 0; i < 250 && startOf(pid) !== null; i += 1) await sleep(20)
      assert.equal(startOf(pid), null)
      await stopsTicking(under, 5000)
    },
  },
  {
    name: 'shows no file but the system’s and those that are bound',
    run: async (under) => {
      const secret = path.join(under.folder, 'secret')
      mkdirSync(secret)
      writeFileSync(path.join(secret, 'key'), 'canary')
      symlinkSync(path.join(secret, 'key'), path.join(under.folder, 'work', 'link'))
      await allDenied(under, [
        `read=${secret}/key`,
        `read=${under.folder}/work/link`,
        'read=/etc/shadow',
        'read=/etc/hostname',
        'read=/root/.bashrc',
        'list=/root/.ssh',
        'list=/var',
      ])
      const { stdout } = await ran(under, { args: ['-c', 'cat /etc/passwd 2>/dev/null | grep -v ^step:'] })
      assert.equal(stdout.toString('utf8'), '')
    },
  },
  {
    name: 'lets nothing be written but what is bound for it',
    run: async (under) => {
      const input = path.join(under.folder, 'input')
      mkdirSync(input)
      writeFileSync(path.join(input, 'file'), 'kept')
      chmodSync(path.join(input, 'file'), 0o666)
      await allDenied(
        under,
        [
          `write=${input}/file`,
          `write=${input}/new`,
          'write=/new',
          'write=/usr/new',
          'write=/etc/new',
          'write=/dev/new',
          'write=/usr/bin/env',
        ],
        {
          binds: [same(input)],
        },
      )
      assert.equal(readFileSync(path.join(input, 'file'), 'utf8'), 'kept')
    },
  },
  {
    name: 'reaches neither the network nor this machine’s own servers and sockets',
    run: async (under) => {
      const sockets = path.join(under.folder, 'sockets')
      mkdirSync(sockets)
      const abstract = `cellmill-test-${process.pid}`
      const accepted: string[] = []
      const servers = [0, path.join(sockets, 'socket'), `\0${abstract}`].map((address) =>
        createServer((socket) => {
          accepted.push(String(address))
          socket.destroy()
        }).listen(typeof address === 'number' ? { port: 0, host: '127.0.0.1' } : { path: address }),
      )
      for (const server of servers) while (!server.listening) await sleep(5)
      const bound = servers[0]?.address()
      const port = typeof bound === 'object' && bound !== null ? bound.port : 0
      await allDenied(under, [
        `tcp=${port}`,
        `unix=${sockets}/socket`,
        `abstract=${abstract}`,
        'metadata',
        'dns',
        'raw',
      ])
      assert.deepEqual(accepted, [])
      const open = await probe(under, [`tcp=${port}`], { network: true })
      assert.deepEqual(open, { [`tcp=${port}`]: 'connected' })
      for (const server of servers) server.close()
    },
  },
  {
    name: 'refuses system calls that no step needs, and lets ordinary work go on',
    run: async (under) => {
      const names =
        'netlink packet vsock alg userns clone unshare mount chroot pivot_root setns ptrace process_vm_readv keyctl add_key bpf perf io_uring userfaultfd kexec module open_by_handle personality x32 terminal inject'
      await allDenied(under, [...names.split(' '), `mknod=${under.folder}/work`])
      assert.deepEqual(await probe(under, ['work']), { work: [[1], 'hello', 'ok', 0] })
    },
  },
  {
    name: 'leaves no setuid or setgid file behind',
    run: async (under) => {
      const work = path.join(under.folder, 'work')
      await allDenied(
        under,
        ['set_id_open', 'set_id_chmod', 'set_gid'].map((name) => `${name}=${work}`),
      )
    },
  },
  {
    name: 'shows no other process’s variables and lets none be signalled',
    run: async (under) => {
      const other = spawn('/bin/sleep', ['60'], { env: { TOKEN: 'canary-of-another' }, stdio: 'ignore' })
      await allDenied(under, ['environments=canary-of-another', `signal=${process.pid}`, `signal=${other.pid}`])
      other.kill('SIGKILL')
    },
  },
  {
    name: 'keeps secrets in variables out of every command line',
    run: async (under) => {
      const started = under.sandbox.spawn(
        specFor(under, { args: ['-c', 'echo ready; sleep 30'], env: { PATH: '/usr/bin:/bin', TOKEN: 'canary-token' } }),
      )
      await new Promise<void>((resolve) => started.onOutput(() => resolve()))
      const lines = execFileSync('/bin/sh', ['-c', 'cat /proc/[0-9]*/cmdline 2>/dev/null || true'], {
        encoding: 'latin1',
      })
      started.kill('cancelled')
      await started.exited
      assert.doesNotMatch(lines, /canary-token/)
    },
  },
]
