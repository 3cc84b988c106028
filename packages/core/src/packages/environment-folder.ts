/** Names of the immutable environments in the cache: by the lock's text, the interpreter and the platform. */
import path from 'node:path'
import { digestOf, sha256 } from '../canonical.ts'
import { cacheFolder } from './cache-folder.ts'
import type { FoundPython } from './find-python.ts'

/** Raised when environments made before must not be used any more. */
const environmentVersion = 2

export function environmentFolder(lockText: string, interpreter: FoundPython): string {
  const id = digestOf({
    v: environmentVersion,
    lock: sha256(lockText),
    python: interpreter.version,
    platform: interpreter.platform,
    base: interpreter.basePrefix,
  })
  return path.join(cacheFolder(), 'python', id.slice(0, 24))
}
