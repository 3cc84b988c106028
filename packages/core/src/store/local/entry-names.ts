/**
 * Names of files in a blob. They come from steps, sources and bundles, so nothing is believed: one name is one file
 * below the blob's folder, on every platform, and one line of a manifest.
 */
import { CellmillError } from '../../errors.ts'

const maxDepth = 32
const maxNameBytes = 255
const maxPathBytes = 1024

/** Throws STORE_REFUSED. */
export function checkEntryName(name: string): void {
  const why = problemOf(name)
  if (why === null) return
  throw new CellmillError(
    'STORE_REFUSED',
    `a file named ${JSON.stringify(name.slice(0, 80))} cannot be stored: ${why}`,
    {
      hint: 'give the file a plain name',
      details: { name: name.slice(0, 1024) },
    },
  )
}

function problemOf(name: string): string | null {
  if (name === '') return 'the name is empty'
  if (!name.isWellFormed() || name.includes('\ufffd')) return 'the name is not valid Unicode'
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(name)) return 'the name has control characters'
  if (/^([a-z]:|\/)/i.test(name)) return 'the path is absolute'
  if (name.includes('\\')) return 'the name has a backslash'
  if (Buffer.byteLength(name) > maxPathBytes) return `the path is longer than ${maxPathBytes} bytes`
  const parts = name.split('/')
  if (parts.length > maxDepth) return `the path is deeper than ${maxDepth} folders`
  for (const part of parts) {
    if (part === '' || part === '.' || part === '..') return `the path has the part '${part}'`
    if (Buffer.byteLength(part) > maxNameBytes) return `the name is longer than ${maxNameBytes} bytes`
  }
  return null
}
