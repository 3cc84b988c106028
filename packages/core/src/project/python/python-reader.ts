/**
 * The process that parses Python files: started when the first file is not cached, one for all of them. A file on which
 * it dies or hangs is answered with an error of its own, and the next ones go to a new process.
 */
import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { CellmillError } from '../../errors.ts'
import type { ModuleFacts } from '../../fingerprint/python/facts.ts'
import { pythonPackageRoot } from '../../sibling.ts'

interface Ready {
  readonly version: string
  readonly stdlib: readonly string[]
}

interface Answer {
  readonly ready?: Ready
  readonly facts?: ModuleFacts
}

const answerTimeoutMs = 60_000
const maxFileBytes = 20_000_000

export class PythonReader {
  readonly #python: string
  #child: ChildProcessWithoutNullStreams | null = null
  #lines: AsyncIterator<string> | null = null
  #stderr = ''
  #ready: Ready | null = null

  constructor(python: string) {
    this.#python = python
  }

  /** Starts the interpreter if need be. Throws PYTHON_NOT_FOUND when it does not start. */
  async open(): Promise<Ready> {
    if (this.#child !== null && this.#ready !== null) return this.#ready
    const main = path.join(pythonPackageRoot(), 'cellmill', '_discover', 'main.py')
    const child = spawn(this.#python, ['-I', '-S', '-B', main], { env: { LC_ALL: 'C.UTF-8', TZ: 'UTC' } })
    const failed = new Promise<never>((_, reject) => child.once('error', reject))
    // Also reported by the next read; nobody may be waiting when it happens.
    failed.catch(() => {})
    child.stdin.on('error', () => {})
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-2000)
    })
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    try {
      const answer = await Promise.race([this.#next(), failed])
      if (answer?.ready === undefined) throw new Error(this.#stderr.trim() || 'it ended before it answered')
      this.#ready = answer.ready
      return answer.ready
    } catch (cause) {
      this.close()
      throw new CellmillError('PYTHON_NOT_FOUND', `${this.#python} does not start: ${(cause as Error).message}`, {
        hint: 'cellmill doctor',
        cause,
      })
    }
  }

  async read(content: Buffer): Promise<ModuleFacts> {
    if (content.length > maxFileBytes) return unreadable(`it is larger than ${maxFileBytes / 1e6} MB`)
    await this.open()
    this.#child!.stdin.write(`${JSON.stringify({ id: 0, content: content.toString('base64') })}\n`)
    const answer = await this.#next()
    if (answer?.facts !== undefined) return { ...nothing, ...answer.facts }
    this.close()
    return unreadable('the Python parser ended on it')
  }

  close(): void {
    this.#child?.kill('SIGKILL')
    this.#child = null
    this.#lines = null
    this.#ready = null
  }

  /** Null when the process ended, or said nothing for too long. */
  async #next(): Promise<Answer | null> {
    const child = this.#child!
    const timer = setTimeout(() => child.kill('SIGKILL'), answerTimeoutMs)
    try {
      const { value, done } = await this.#lines!.next()
      return done === true ? null : (JSON.parse(value) as Answer)
    } finally {
      clearTimeout(timer)
    }
  }
}

const nothing: ModuleFacts = {
  units: {},
  sequence: [],
  bindings: {},
  effectNames: [],
  exports: null,
  steps: [],
  setups: [],
  parameters: [],
  diagnostics: [],
}

function unreadable(message: string): ModuleFacts {
  return { ...nothing, error: { message, at: { line: 1, column: 1, length: 1, lineText: '' } } }
}
