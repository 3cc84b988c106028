/**
 * Small JSON caches under `.cellmill/cache`. A cache is never needed: whatever is missing, damaged or written by another
 * version counts as empty, and a failure to write is ignored.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { version } from '../version.ts'

/** Raised when what discovery stores changes its shape or meaning. */
const cacheFormat = 1

interface Envelope<T> {
  readonly writer: string
  readonly value: T
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what it wrote
export function readCache<T>(folder: string, name: string): T | null {
  try {
    const envelope = JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Envelope<T>
    return envelope.writer === writer() ? envelope.value : null
  } catch {
    // Missing or damaged: the same as empty.
    return null
  }
}

/** Whole or not at all: a reader never sees half a file. */
export function writeCache(folder: string, name: string, value: unknown): void {
  const file = path.join(folder, name)
  const temporary = `${file}.${process.pid}.tmp`
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(temporary, JSON.stringify({ writer: writer(), value } satisfies Envelope<unknown>))
    renameSync(temporary, file)
  } catch {
    // A read-only or full disk makes the next load slower, not wrong.
    rmSync(temporary, { force: true })
  }
}

function writer(): string {
  return `${version}/${cacheFormat}`
}
