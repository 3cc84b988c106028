/** What uv says when it fails, as an error that a person can act on: the package or the machine's trouble by name. */
import { CellmillError } from '../errors.ts'

export interface FailedTool {
  readonly stderr: string
  /** What could not be done: `requirements.txt cannot be resolved`. */
  readonly message: string
  readonly hint: string
  /** To type when the index was not reached. */
  readonly again: string
}

const maxReason = 500

export function toolFailure({ stderr, message, hint, again }: FailedTool): CellmillError {
  const details = { stderr: stderr.slice(-4000) }
  if (/no space left on device/i.test(stderr)) {
    return new CellmillError('DISK_FULL', `${message}: the disk is full.`, { hint: 'cellmill gc', details })
  }
  if (isUnreachable(stderr)) {
    const address = /https?:\/\/[^\s)`'"]+/.exec(stderr)?.[0] ?? 'the package index'
    return new CellmillError('PACKAGES_FAILED', `${withoutSecrets(address)} cannot be reached.`, {
      hint: `check the network, then  ${again}`,
      details,
      retryable: true,
    })
  }
  const reason = reasonOf(stderr)
  return new CellmillError('PACKAGES_FAILED', reason === '' ? `${message}.` : `${message}: ${reason}`, {
    hint,
    details,
  })
}

/** No set of versions fits, as opposed to a line that cannot be read or an index that is away. */
export function isUnsatisfiable(stderr: string): boolean {
  return /No solution found when resolving/.test(stderr)
}

function isUnreachable(stderr: string): boolean {
  return /dns error|error sending request|tcp connect|connection (?:refused|reset)|timed out|network is unreachable|name resolution/i.test(
    stderr,
  )
}

/** The causes of the first error; the error itself where it gives none. */
function reasonOf(stderr: string): string {
  const text = (stderr.split(/^hint:/m)[0] ?? '').replaceAll(/[╰─▶├│×]/g, ' ')
  const causes = [...text.matchAll(/^\s*(?:cause|Caused by):\s*(.*(?:\n(?!\s*(?:cause|Caused by|error):).*)*)/gm)].map(
    (match) => match[1] ?? '',
  )
  const reason = causes.length > 0 ? causes.join(' ') : text.replace(/^\s*error:/m, '')
  return withoutSecrets(reason.replaceAll(/\s+/g, ' ').trim()).slice(0, maxReason)
}

/** Addresses of private indexes carry passwords. */
function withoutSecrets(text: string): string {
  return text.replaceAll(/(https?:\/\/)[^/\s@]+@/g, '$1***@')
}
