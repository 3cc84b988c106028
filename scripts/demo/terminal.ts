/**
 * The demo's terminal: commands printed as a person types them, run by the built CLI in the demo's folder, with their own
 * output, and what was expected of them checked. The first expectation that does not hold ends the demo.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { processOutput } from '../../packages/cli/src/output/output.ts'
import { runReporter } from '../../packages/cli/src/output/run-reporter.ts'
import type { RunEvent } from '@cellmill/core/run/events.ts'

const cli = path.resolve(import.meta.dirname, '..', '..', 'packages', 'cli', 'bin', 'cellmill.js')

export class DemoFailure extends Error {}

export interface Ran {
  readonly code: number
  readonly finished: Extract<RunEvent, { type: 'run-finished' }>
  /** Names of steps, sorted. */
  readonly built: readonly string[]
  readonly failed: readonly string[]
}

export class Terminal {
  /** Where commands run. */
  cwd: string
  readonly #output = processOutput({ json: false, quiet: false, verbose: 0 })

  constructor(cwd: string) {
    this.cwd = cwd
  }

  chapter(title: string): void {
    process.stderr.write(`\n${this.#output.colors.bold(`== ${title}`)}\n`)
  }

  note(text: string): void {
    process.stderr.write(`${this.#output.colors.cyan(`# ${text}`)}\n`)
  }

  /** Shown as typed, with its own output; fails the demo unless it exits with `code`. */
  async show(command: string, notice: string, code = 0): Promise<void> {
    this.#prompt(command, notice)
    const ended = await this.#spawn(words(command), 'inherit')
    this.expect(ended.code === code, `'cellmill ${command}' exits with ${code}`, `it exited with ${ended.code}`)
  }

  /** `cellmill run` as the terminal shows it, from the events of `--json`, so that they can be checked. */
  async run(command: string, notice: string): Promise<Ran> {
    this.#prompt(command, notice)
    const reporter = runReporter(this.#output)
    const events: RunEvent[] = []
    const { code, stderr } = await this.#spawn([...words(command), '--json'], 'pipe', (line) => {
      const event = JSON.parse(line) as RunEvent
      if (!('type' in event)) throw new DemoFailure(`'cellmill ${command}' was refused: ${line}`)
      events.push(event)
      reporter.emit(event)
    })
    reporter.close()
    const finished = events.at(-1)
    if (finished?.type !== 'run-finished') throw new DemoFailure(`'cellmill ${command}' did not finish: ${stderr}`)
    const named = (type: RunEvent['type']): readonly string[] =>
      events.flatMap((event) => (event.type === type && 'step' in event ? [event.step] : [])).sort()
    return { code, finished, built: named('step-succeeded'), failed: named('step-failed') }
  }

  /** The answer of a query, not shown: what expectations look at. */
  async ask<T>(command: string): Promise<T> {
    const ended = await this.#spawn([...words(command), '--json'], 'pipe')
    try {
      return JSON.parse(ended.stdout) as T
    } catch {
      throw new DemoFailure(`'cellmill ${command} --json' answered no JSON: ${ended.stdout}${ended.stderr}`)
    }
  }

  /** Changes a text in a file, shown as a diff of one line. */
  edit(file: string, from: string, to: string): void {
    const { colors } = this.#output
    const target = path.join(this.cwd, file)
    const text = readFileSync(target, 'utf8')
    this.expect(text.includes(from), `${file} holds ${JSON.stringify(from)}`, 'it does not')
    writeFileSync(
      target,
      text.replace(from, () => to),
    )
    process.stderr.write(
      `\n${colors.bold(`edit ${file}`)}\n${colors.red(`  - ${from}`)}\n${colors.green(`  + ${to}`)}\n`,
    )
  }

  expect(holds: boolean, expected: string, got: string): void {
    if (!holds) throw new DemoFailure(`expected: ${expected}; but ${got}`)
  }

  expectSame(what: string, got: unknown, expected: unknown): void {
    const [left, right] = [JSON.stringify(got), JSON.stringify(expected)]
    this.expect(left === right, `${what} ${right}`, `got ${left}`)
  }

  #prompt(command: string, notice: string): void {
    const { colors } = this.#output
    process.stderr.write(`\n${colors.bold(`$ cellmill ${command}`)}\n`)
    this.note(notice)
  }

  #spawn(
    args: readonly string[],
    stdio: 'inherit' | 'pipe',
    onLine?: (line: string) => void,
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
    const { CELLMILL_ENV: _, ...env } = process.env
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [cli, ...args], { cwd: this.cwd, env, stdio: ['ignore', stdio, stdio] })
      const text = { stdout: '', stderr: '' }
      child.stderr?.on('data', (chunk: Buffer) => (text.stderr += chunk.toString('utf8')))
      if (onLine === undefined) child.stdout?.on('data', (chunk: Buffer) => (text.stdout += chunk.toString('utf8')))
      else if (child.stdout !== null) {
        createInterface({ input: child.stdout }).on('line', (line) => {
          try {
            onLine(line)
          } catch (error) {
            reject(error)
          }
        })
      }
      child.on('error', reject)
      child.on('close', (code) => resolve({ code: code ?? 1, ...text }))
    })
  }
}

/** Splits at spaces outside double quotes, as a shell does. */
function words(command: string): readonly string[] {
  return [...command.matchAll(/"([^"]*)"|\S+/g)].map((match) => match[1] ?? match[0])
}
