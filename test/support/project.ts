/** A project in a folder of its own, and the built CLI as a process: what end to end tests work with. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { answerSchemas } from '../../packages/cli/src/schemas/answers.ts'

const repository = path.resolve(import.meta.dirname, '..', '..')
const cli = path.join(repository, 'packages/cli/bin/cellmill.js')

export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunEventLike {
  readonly type: string
  readonly step?: string
  readonly [name: string]: unknown
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<CliResult>
}

export class TestProject {
  readonly root: string
  env: Record<string, string> = {}

  constructor(files: Readonly<Record<string, string>> = {}, root: string | null = null) {
    this.root = root ?? mkdtempSync(path.join(tmpdir(), 'cellmill-e2e-'))
    this.write(files)
  }

  /** A project in a folder of this one. */
  inside(folder: string): TestProject {
    return new TestProject({}, path.join(this.root, folder))
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(this.root, name)
      mkdirSync(path.dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
  }

  read(name: string): string {
    return readFileSync(path.join(this.root, name), 'utf8')
  }

  replace(name: string, from: string, to: string): void {
    const text = this.read(name)
    if (!text.includes(from)) throw new Error(`${name} does not hold ${JSON.stringify(from)}`)
    this.write({ [name]: text.replace(from, to) })
  }

  has(name: string): boolean {
    return existsSync(path.join(this.root, name))
  }

  /** The packages that the tests install; equal locks share one environment in the cache. */
  usePackages(): void {
    copyFileSync(path.join(repository, 'test/packages/requirements.lock'), path.join(this.root, 'requirements.lock'))
  }

  start(...args: readonly string[]): Started {
    const child = spawn(process.execPath, [cli, ...args], {
      cwd: this.root,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: process.env['HOME'] ?? '/',
        CI: '1',
        ...cacheVariables(),
        ...this.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const text = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => (text.stdout += chunk.toString('utf8')))
    child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString('utf8')))
    const ended = new Promise<CliResult>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => resolve({ code: code ?? (signal === 'SIGKILL' ? 137 : 1), ...text }))
    })
    return { child, ended }
  }

  cli(...args: readonly string[]): Promise<CliResult> {
    return this.start(...args).ended
  }

  /** The answer of a query, held against its published schema. */
  async json<T>(command: string, ...args: readonly string[]): Promise<T> {
    const result = await this.cli(command, ...args, '--json')
    return validated(command, result.stdout) as T
  }

  /** The events of a run, each held against the schema. */
  async run(...args: readonly string[]): Promise<RunSummary> {
    const result = await this.cli('run', ...args, '--json')
    const events = result.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => validated('run', line) as RunEventLike)
    return new RunSummary(result, events)
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

export class RunSummary {
  readonly code: number
  readonly stderr: string
  readonly events: readonly RunEventLike[]

  constructor(result: CliResult, events: readonly RunEventLike[]) {
    this.code = result.code
    this.stderr = result.stderr
    this.events = events
  }

  /** Names of steps whose code ran to success, sorted. */
  get built(): readonly string[] {
    return this.#steps('step-succeeded')
  }

  get failed(): readonly string[] {
    return this.#steps('step-failed')
  }

  get finished(): RunEventLike {
    const last = this.events.at(-1)
    if (last === undefined) throw new Error(`the run wrote no event: ${this.stderr}`)
    return last
  }

  #steps(type: string): readonly string[] {
    return this.events
      .filter((event) => event.type === type)
      .map((event) => String(event.step))
      .sort()
  }
}

function validated(command: string, text: string): unknown {
  const value: unknown = JSON.parse(text)
  const isError = typeof value === 'object' && value !== null && 'error' in value && !('type' in value)
  const schema = answerSchemas[isError ? 'error' : command]
  if (schema === undefined) throw new Error(`${command} has no schema`)
  return schema.parse(value)
}

const passedOn =
  /^(?:CELLMILL_(?:CACHE|PYTHON|SANDBOX_LEVEL)|XDG_CACHE_HOME|(?:https?|no|all)_proxy|PIP_.*|UV_.*|SSL_CERT_.*|REQUESTS_CA_BUNDLE)$/i

/** Where caches are, and how this machine reaches a package index. */
function cacheVariables(): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && passedOn.test(name)) kept[name] = value
  }
  return kept
}
