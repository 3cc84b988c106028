/** JSON that a step's process left. It is hostile: only a regular file of bounded size is read, and depth is bounded too. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

const maxBytes = 16 * 1024 * 1024
const maxDepth = 20

/** `undefined` for what is not there, no regular file, too long or not JSON. */
export async function readLeftJson(file: string): Promise<unknown> {
  let handle
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    // Missing, or a link that is not followed.
    return undefined
  }
  try {
    const stat = await handle.stat()
    if (!stat.isFile() || stat.size > maxBytes) return undefined
    return JSON.parse(await handle.readFile('utf8')) as unknown
  } catch {
    // What cannot be read is told as missing.
    return undefined
  } finally {
    await handle.close()
  }
}

/** Asked before anything else walks the value: hostile depth would end this process. */
export function isShallow(value: unknown, depth: number = 0): boolean {
  if (value === null || typeof value !== 'object') return true
  return depth < maxDepth && Object.values(value).every((part) => isShallow(part, depth + 1))
}
