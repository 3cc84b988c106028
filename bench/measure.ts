/**
 * Times a thing beside its floor. Both are run in turn, so that a busy machine slows both; what counts is the ratio or
 * the difference of each pair, never a time alone. Nothing here asserts a time.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import path from 'node:path'
import { cpuClock } from './cpu-clock.ts'
import type { Timing } from './section.ts'

export interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Wall milliseconds of one execution. */
export type Measured = () => Promise<number>

export interface Pair {
  readonly floor: Measured
  readonly ours: Measured
  /** Brings about what `ours` starts from; not measured. */
  readonly before?: () => Promise<unknown>
}

export interface PairTimes {
  readonly floorMs: number
  readonly oursMs: number
  /** Median of the pairs' ratios and differences. */
  readonly ratio: number
  readonly overMs: number
  /** Processor milliseconds of floor and ours, with all processes they started: medians. Null where nobody counts them. */
  readonly cpuMs: readonly [number, number] | null
  /** Half the range between the quartiles of the ratios, as a part of the median. */
  readonly noise: number
  readonly times: number
}

/** Runs floor and ours in turn; the first pair warms caches and is thrown away. */
export async function measurePairs(times: number, pair: Pair): Promise<PairTimes> {
  await pair.floor()
  await pair.before?.()
  await pair.ours()
  const floors: number[] = []
  const ours: number[] = []
  const cpu: { readonly floor: number[]; readonly ours: number[] } = { floor: [], ours: [] }
  const measure = async (name: 'floor' | 'ours', into: number[]): Promise<void> => {
    if (name === 'ours') await pair.before?.()
    const before = cpuClock?.() ?? 0
    into.push(await pair[name]())
    cpu[name].push((cpuClock?.() ?? 0) - before)
  }
  for (let i = 0; i < times; i++) {
    // The order changes, so that neither always comes after the other.
    if (i % 2 === 0) await measure('floor', floors)
    await measure('ours', ours)
    if (i % 2 === 1) await measure('floor', floors)
  }
  const ratios = ours.map((ms, i) => ms / floors[i]!)
  return {
    floorMs: median(floors),
    oursMs: median(ours),
    ratio: median(ratios),
    overMs: median(ours.map((ms, i) => ms - floors[i]!)),
    cpuMs: cpuClock === null ? null : [median(cpu.floor), median(cpu.ours)],
    noise: (quantile(ratios, 0.75) - quantile(ratios, 0.25)) / 2 / median(ratios),
    times,
  }
}

export function toTiming(what: string, floor: string, target: string, times: PairTimes): Timing {
  return { what, floor, target, ...times }
}

export async function timeOf(act: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await act()
  return performance.now() - startedAt
}

/** Wall milliseconds from start to exit. Throws, with what it said, when the command fails. */
export async function timeCommand(command: Command): Promise<number> {
  return timeOf(() => runCommand(command))
}

/** Standard output. */
export function runCommand({ command, args, cwd, env }: Command): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      cwd,
      env: { ...baseEnv(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const text = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => (text.stdout += chunk.toString('utf8')))
    child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString('utf8')))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(text.stdout)
      else reject(new Error(`${command} ${args.join(' ')}: exit ${code}\n${text.stdout}\n${text.stderr}`))
    })
  })
}

/** Peak memory of a command that is a Node process, without its children. */
export async function peakOfNode(command: Command): Promise<number> {
  const report = path.join(import.meta.dirname, 'report-memory.mjs')
  const file = path.join(command.cwd ?? '.', '.bench-memory')
  const env = { ...command.env, NODE_OPTIONS: `--import=${report}`, BENCH_MEMORY_FILE: file }
  await runCommand({ ...command, env })
  return Number(readFileSync(file, 'utf8'))
}

function baseEnv(): Record<string, string> {
  const env: Record<string, string> = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', CI: '1' }
  for (const name of ['CELLMILL_CACHE', 'XDG_CACHE_HOME', 'CELLMILL_PYTHON']) {
    const value = process.env[name]
    if (value !== undefined) env[name] = value
  }
  return env
}

export function load(): string {
  return loadavg()[0]!.toFixed(1)
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const position = (sorted.length - 1) * at
  const below = sorted[Math.floor(position)]!
  return below + (sorted[Math.ceil(position)]! - below) * (position - Math.floor(position))
}
