/** What the author's code threw, with its own frames only, innermost last. Stripping keeps positions, so lines are the file's. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { StepProblem } from './step-problem.ts'

export interface ErrorAccount {
  readonly kind: string
  readonly type: string
  readonly message: string
  readonly frames: readonly unknown[]
  readonly inputs: readonly string[]
  readonly hint: string | null
}

export function accountOf(thrown: unknown, codeRoot: string, inputs: readonly string[]): ErrorAccount {
  if (thrown instanceof StepProblem) {
    return { kind: 'contract', type: 'contract', message: thrown.message, frames: [], inputs, hint: thrown.hint }
  }
  if (!(thrown instanceof Error)) {
    return {
      kind: 'exception',
      type: typeof thrown,
      message: `it threw ${String(thrown).slice(0, 500)}, which is no Error`,
      frames: [],
      inputs,
      hint: 'throw new Error(..), which keeps its place',
    }
  }
  const code = errorCode(thrown)
  return {
    kind: code === 'ENOSPC' ? 'disk-full' : 'exception',
    type: thrown.name,
    message: messageOf(thrown),
    frames: framesOf(thrown.stack ?? '', codeRoot),
    inputs,
    hint: hintOf(thrown, code),
  }
}

function messageOf(error: Error): string {
  const cause = error.cause instanceof Error ? ` (${error.cause.name}: ${error.cause.message})` : ''
  return `${error.message}${cause}`.slice(0, 4000)
}

function errorCode(error: Error): string {
  const { code } = error as { code?: unknown }
  const nested = error.cause instanceof Error ? (error.cause as { code?: unknown }).code : undefined
  return [code, nested].find((each) => typeof each === 'string') ?? ''
}

function hintOf(error: Error, code: string): string | null {
  if (code === 'ENOENT' || code === 'EACCES') {
    return 'a step sees only its inputs: declare the file as a source, and read it with  path()'
  }
  if (
    ['ENETUNREACH', 'EAI_AGAIN', 'ENOTFOUND', 'ECONNREFUSED', 'EPERM', 'UND_ERR_CONNECT_TIMEOUT'].includes(code) ||
    error.message === 'fetch failed'
  ) {
    return "a step has no network unless it says so:  network: ['example.org'], refresh: '1d'"
  }
  if (code === 'ERR_MODULE_NOT_FOUND') return 'the step sees only the modules that its own module imports by name'
  return null
}

const frameLine = /^\s*at (?:async )?(?:(.*?) \()?(file:\/\/[^\s)]+?):(\d+):(\d+)\)?$/

function framesOf(stack: string, codeRoot: string): readonly unknown[] {
  const root = pathToFileURL(`${codeRoot}/`).href
  const frames = stack.split('\n').flatMap((text) => {
    const match = frameLine.exec(text)
    if (match === null || !match[2]!.startsWith(root)) return []
    const [, name = '', url = '', line = '1', column = '1'] = match
    const file = decodeURIComponent(url.slice(root.length))
    const isProject = !file.startsWith('node_modules/')
    return [
      {
        file,
        line: Number(line),
        column: Number(column),
        endColumn: null,
        function: name.replace(/^Object\./, ''),
        lineText: isProject ? lineOf(fileURLToPath(url), Number(line)) : '',
        isProject,
        cell: null,
      },
    ]
  })
  return frames.reverse().slice(-50)
}

function lineOf(file: string, line: number): string {
  return existsSync(file) ? (readFileSync(file, 'utf8').split('\n')[line - 1] ?? '').slice(0, 500) : ''
}
