/**
 * The value of `cellmill.config.ts`, computed in a child process, since it is user code: no inherited environment, no
 * writing, no processes, no files outside the project, ten seconds. What it loaded is told, so that the answer can be
 * cached by content.
 */
import { spawn } from 'node:child_process'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Json } from '../../canonical.ts'
import { siblingModule } from '../../sibling.ts'
import { sdkEntry } from '../sdk-entry.ts'

export type ConfigAnswer =
  | { readonly ok: true; readonly value: Json; readonly loaded: readonly string[] }
  | {
      readonly ok: false
      readonly name: string
      readonly message: string
      readonly stack: string
      readonly loaded: readonly string[]
    }

const defaultTimeLimitMs = 10_000
const maxAnswerBytes = 16_000_000

/** `loaded` are absolute paths of the files that were imported, ours left out. */
export async function readConfig(file: string, timeLimitMs: number = defaultTimeLimitMs): Promise<ConfigAnswer> {
  const sdk = sdkEntry()
  const runner = siblingModule(import.meta.url, './config-runner')
  const root = path.dirname(file)
  const readable = [root, path.dirname(runner), path.dirname(sdk)]
  const child = spawn(
    process.execPath,
    [
      '--permission',
      ...readable.map((folder) => `--allow-fs-read=${folder}`),
      '--no-warnings',
      '--disable-proto=delete',
      '--max-old-space-size=512',
      runner,
      file,
      new URL(`file://${sdk}`).href,
    ],
    {
      cwd: root,
      env: { TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      timeout: timeLimitMs,
      killSignal: 'SIGKILL',
    },
  )
  const answer = collect(child.stdio[3] as Readable)
  const stderr = collect(child.stderr as Readable)
  child.stdout?.resume()
  const { code, signal } = await new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  const line = answer().split('\n', 1)[0] ?? ''
  if (line !== '') return withPaths(JSON.parse(line) as ConfigAnswer, sdk)
  const message =
    signal === 'SIGKILL'
      ? `it did not end within ${timeLimitMs / 1000} seconds`
      : `its process ended (${signal ?? `exit code ${code}`}) without a value: ${stderr().trim().split('\n').at(-1) ?? ''}`
  return { ok: false, name: 'Error', message, stack: '', loaded: [] }
}

function withPaths(answer: ConfigAnswer, sdk: string): ConfigAnswer {
  const loaded = answer.loaded
    .map((url) => fileURLToPath(url))
    .filter((loadedFile) => !loadedFile.startsWith(`${path.dirname(sdk)}${path.sep}`))
  return { ...answer, loaded }
}

function collect(stream: Readable): () => string {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= maxAnswerBytes) chunks.push(chunk)
  })
  return () => Buffer.concat(chunks).toString('utf8')
}
