/**
 * A notebook file as a document. Files above `INLINE_BYTES` are parsed in a child process with limits on memory and
 * time, so that no file can take this process down. Invariant: every refusal is NOTEBOOK_UNREADABLE with a reason.
 */
import { spawn } from 'node:child_process'
import { open, stat } from 'node:fs/promises'
import { sha256 } from '../../canonical.ts'
import { CellmillError } from '../../errors.ts'
import { siblingModule } from '../../sibling.ts'
import type { NotebookDocument } from '../document.ts'
import { decodeText, unreadable } from './json-text.ts'
import { parseNotebook } from './parse-notebook.ts'

export interface ReadNotebookOptions {
  readonly displayPath: string
  /** @default 256 MiB */
  readonly maxBytes?: number
  /** Above this size the file is parsed in a child. @default 8 MiB */
  readonly inlineBytes?: number
}

const MEBIBYTE = 1024 * 1024
const CHILD_TIMEOUT_MS = 30_000

export async function readNotebook(path: string, options: ReadNotebookOptions): Promise<NotebookDocument> {
  const maxBytes = options.maxBytes ?? 256 * MEBIBYTE
  const size = await sizeOf(path, options.displayPath)
  if (size > maxBytes) {
    throw unreadable(
      options.displayPath,
      `is ${mebibytes(size)} MB; notebooks above ${mebibytes(maxBytes)} MB are not read.`,
      'Clear its outputs: `jupyter nbconvert --clear-output --inplace` on a copy.',
      { sizeBytes: size, maxBytes },
    )
  }
  if (size <= (options.inlineBytes ?? 8 * MEBIBYTE)) {
    const bytes = await readBytes(path, maxBytes, options.displayPath)
    return parseBytes(bytes, options.displayPath)
  }
  return readInChild(path, options.displayPath, maxBytes)
}

export function parseBytes(bytes: Uint8Array, path: string): NotebookDocument {
  return parseNotebook(decodeText(bytes, path), { path, digest: sha256(bytes), sizeBytes: bytes.byteLength })
}

async function sizeOf(path: string, displayPath: string): Promise<number> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) throw unreadable(displayPath, 'is a folder.', 'Name a notebook in it.')
    if (!found.isFile()) throw unreadable(displayPath, 'is not a regular file.', 'Name a file that Jupyter saved.')
    return found.size
  } catch (error) {
    throw error instanceof CellmillError ? error : systemError(error, displayPath)
  }
}

function systemError(error: unknown, displayPath: string): CellmillError {
  const code = (error as NodeJS.ErrnoException).code
  const what =
    code === 'ENOENT' || code === 'ENOTDIR'
      ? 'does not exist.'
      : code === 'EACCES'
        ? 'may not be read by you.'
        : `cannot be read (${code ?? String(error)}).`
  return new CellmillError('NOTEBOOK_UNREADABLE', `${displayPath} ${what}`, {
    hint: code === 'ENOENT' ? 'Look for the right name with `ls`.' : 'Look at its permissions with `ls -l`.',
    details: { path: displayPath },
    cause: error,
  })
}

/** Bounded, since a file may grow while it is read. */
export async function readBytes(path: string, maxBytes: number, displayPath: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r')
    try {
      const bytes = await file.readFile()
      if (bytes.byteLength > maxBytes) throw unreadable(displayPath, 'grew while it was read.', 'Try again.')
      return bytes
    } finally {
      await file.close()
    }
  } catch (error) {
    throw error instanceof CellmillError ? error : systemError(error, displayPath)
  }
}

function mebibytes(bytes: number): string {
  return Math.ceil(bytes / MEBIBYTE).toLocaleString('en-US')
}

/** One line of JSON that the child answers with. */
export type ChildAnswer =
  | { readonly ok: true; readonly document: NotebookDocument }
  | {
      readonly ok: false
      readonly message: string
      readonly hint: string | null
      readonly details: Readonly<Record<string, unknown>>
    }

async function readInChild(path: string, displayPath: string, maxBytes: number): Promise<NotebookDocument> {
  const child = spawn(
    process.execPath,
    ['--max-old-space-size=1536', siblingModule(import.meta.url, './read-worker'), path, displayPath, String(maxBytes)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/bin:/bin' },
      timeout: CHILD_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    },
  )
  const chunks: Buffer[] = []
  let length = 0
  child.stdout.on('data', (chunk: Buffer) => {
    length += chunk.byteLength
    if (length > maxBytes * 2) child.kill('SIGKILL')
    else chunks.push(chunk)
  })
  child.stderr.resume()
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code !== 0) {
    throw unreadable(
      displayPath,
      'needs more memory or time to read than a notebook may.',
      'Clear its outputs on a copy and try again.',
    )
  }
  const answer = JSON.parse(Buffer.concat(chunks).toString('utf8')) as ChildAnswer
  if (answer.ok) return answer.document
  throw new CellmillError('NOTEBOOK_UNREADABLE', answer.message, {
    details: answer.details,
    ...(answer.hint === null ? {} : { hint: answer.hint }),
  })
}
