/** What the contract's cases are made with: specs, runs, probes, and processes that try to stay alive. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Bind, Sandbox, SandboxExit, SandboxSpec } from './sandbox.ts'

export interface SandboxUnderTest {
  readonly sandbox: Sandbox
  /** A real interpreter. */
  readonly python: string
  readonly basePrefix: string
  /** Empty and ours; `work` in it is bound and writable. */
  readonly folder: string
}

export interface SandboxCase {
  readonly name: string
  readonly run: (under: SandboxUnderTest) => Promise<void>
}

export interface Ran {
  readonly exit: SandboxExit
  readonly stdout: Buffer
  readonly stderr: string
}

const megabyte = 1024 ** 2
export const probes: string = fileURLToPath(new URL('contract-probes.py', import.meta.url))
export const openSandboxUrl: string = new URL('open-sandbox.ts', import.meta.url).href

export function specFor(under: SandboxUnderTest, patch: Partial<SandboxSpec> = {}): SandboxSpec {
  const work = path.join(under.folder, 'work')
  mkdirSync(work, { recursive: true })
  return {
    command: '/bin/sh',
    args: [],
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' },
    cwd: work,
    network: false,
    memoryBytes: null,
    cpuSeconds: null,
    maxProcesses: null,
    maxFileBytes: null,
    maxOutputBytes: 8 * megabyte,
    timeoutMs: 60_000,
    control: 'none',
    ...patch,
    binds: [same(under.basePrefix), same(probes), { ...same(work), writable: true }, ...(patch.binds ?? [])],
  }
}

export function same(source: string): Bind {
  return { source, target: source, writable: false }
}

export async function ran(under: SandboxUnderTest, patch: Partial<SandboxSpec>, signal?: AbortSignal): Promise<Ran> {
  const started = under.sandbox.spawn(specFor(under, patch), signal)
  const chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  started.onOutput((stream, chunk) => chunks[stream].push(chunk))
  const exit = await started.exited
  return { exit, stdout: Buffer.concat(chunks.stdout), stderr: Buffer.concat(chunks.stderr).toString('utf8') }
}

export async function python(under: SandboxUnderTest, code: string, patch: Partial<SandboxSpec> = {}): Promise<Ran> {
  return ran(under, { command: under.python, args: ['-I', '-c', code], ...patch })
}

/** What came of each probe. */
export async function probe(
  under: SandboxUnderTest,
  names: readonly string[],
  patch: Partial<SandboxSpec> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const { stdout, stderr } = await ran(under, { command: under.python, args: ['-I', probes, ...names], ...patch })
  assert.notEqual(stdout.length, 0, stderr)
  return JSON.parse(stdout.toString('utf8')) as Readonly<Record<string, unknown>>
}

export async function allDenied(
  under: SandboxUnderTest,
  names: readonly string[],
  patch: Partial<SandboxSpec> = {},
): Promise<void> {
  const found = Object.entries(await probe(under, names, patch))
  assert.equal(found.length, names.length)
  const open = found.filter(([, result]) => typeof result !== 'string' || !result.startsWith('denied'))
  assert.deepEqual(Object.fromEntries(open), {})
}

/** Leaves children with sessions of their own, one of which holds the output, that write to `ticks` for as long as they live. */
export const escaping: string = `import os, sys, time
def tick():
    while True:
        with open('ticks', 'a') as stream: stream.write('x')
        time.sleep(0.02)
for hold in (True, False):
    for _ in range(5):
        if os.fork() == 0:
            os.setsid()
            if os.fork() != 0: os._exit(0)
            if not hold:
                for fd in (0, 1, 2): os.close(fd)
            tick()
time.sleep(0.3)`

/** Fails when one of them is alive, or was never there; `withinMs` where ending them is the kernel's work alone. */
export async function stopsTicking({ folder }: SandboxUnderTest, withinMs = 0): Promise<void> {
  const ticks = path.join(folder, 'work', 'ticks')
  const size = (): number => (existsSync(ticks) ? readFileSync(ticks).length : 0)
  assert.notEqual(size(), 0, 'nothing ever ticked')
  const until = performance.now() + withinMs
  for (;;) {
    const before = size()
    await sleep(150)
    if (size() === before) return
    assert.ok(performance.now() < until, 'a process is still there')
  }
}
