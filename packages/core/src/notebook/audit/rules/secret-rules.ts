/**
 * N26, N57: secrets and personal data in code and outputs. Invariant: no finding holds a secret: evidence and diffs
 * show its first characters and length only.
 */
import type { NotebookCell } from '../../document.ts'
import type { Finding } from '../../finding.ts'
import { finding, shorten, type AuditContext, type Rule } from '../audit-context.ts'

export const secretRules: readonly Rule[] = [
  { codes: ['N26'], needs: 'file', find: secrets },
  { codes: ['N57'], needs: 'file', find: personalData },
]

interface Found {
  readonly what: string
  readonly secret: string
  readonly start: number
  /** The variable or keyword it is given to. */
  readonly name: string | null
}

const FORMATS: readonly (readonly [string, RegExp])[] = [
  ['an AWS access key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g],
  ['an OpenAI or Anthropic key', /\bsk-(?=[\w-]*\d)(?=[\w-]*[A-Z])(?:proj-|ant-|live-)?[A-Za-z0-9_-]{20,}\b/g],
  ['a Stripe key', /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}\b/g],
  ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})\b/g],
  ['a GitLab token', /\bglpat-[A-Za-z0-9_-]{20,}\b/g],
  ['a Slack token', /\bxox[abprs]-[A-Za-z0-9-]{10,}\b/g],
  ['a Google API key', /\bAIza[0-9A-Za-z_-]{35}\b/g],
  ['a Hugging Face token', /\bhf_[A-Za-z0-9]{30,}\b/g],
  ['a private key', /-----BEGIN (?:RSA |EC |OPENSSH |DSA |ENCRYPTED )?PRIVATE KEY-----[A-Za-z0-9+/=\s\\n]{0,4000}/g],
  ['a JSON web token', /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g],
]
const CONNECTION = /\b[a-z][a-z0-9+.-]{1,30}:\/\/[^\s:/@'"]{1,100}:([^\s@/'"]{1,200})@[\w.-]+/gi
/** `password = "..."`, `token="..."`, `"api_key": "..."`, `os.environ["SECRET"] = "..."`. */
const NAMED = /(["']?)([A-Za-z_][\w-]{0,60})\1(?:["']?\])?\s*[=:]\s*(?!=)[rub]?(["'])([^"'\n]{4,400})\3/gi
const SECRET_NAME =
  /(?:^|[_-])(?:password|passwd|pwd|passphrase|secret|secret[_-]?key|client[_-]?secret|api[_-]?key|apikey|access[_-]?key(?:[_-]?id)?|auth[_-]?token|access[_-]?token|refresh[_-]?token|bearer|token|private[_-]?key|credentials?|api[_-]?secret|api[_-]?token|aws[_-]?secret[_-]?access[_-]?key)$/i
/** Names whose values nobody should see. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name)
}

const PLACEHOLDER =
  /^(?:x{3,}|\*{3,}|\.{3,}|<.*>|\[.*\]|\{.*\}|\$\{?.*\}?|%\(.*|your[\s_-].*|my[\s_-].*|.*your[_-].*|.*_here|changeme|change[_-]me|example.*|dummy|test|fake.*|none|null|secret|password|token|todo|n\/a|placeholder|insert.*|enter.*|replace.*|xxx.*|.*\.\.\..*)$/i

function secrets(context: AuditContext): readonly Finding[] {
  return context.document.cells.flatMap((cell) => [...inSource(cell), ...inOutputs(cell)])
}

function inSource(cell: NotebookCell): readonly Finding[] {
  const found = dedupe([
    ...byFormat(cell.source),
    ...byConnection(cell.source),
    ...(cell.type === 'code' ? byName(cell.source) : []),
  ])
  return found.map((secret) => {
    const line = cell.source.slice(0, secret.start).split('\n').length
    const name = secret.name ?? ''
    return finding('N26', {
      cell: cell.index,
      line,
      basis: 'static',
      message: `${capital(secret.what)} is written in the ${cell.type === 'code' ? 'code' : 'text'}${name === '' ? '' : ` (\`${name}\`)`}. Revoke it, and take it from a secret of the environment: it stays in the history of this file.`,
      evidence: shorten(masked(cell.source.split('\n')[line - 1] ?? '', found).trim(), 160),
      fix: cell.type === 'code' ? environmentFix(cell, line, secret, found) : null,
    })
  })
}

/** The literal replaced by a read of the environment; the removed line is shown without the secret. */
function environmentFix(cell: NotebookCell, line: number, secret: Found, all: readonly Found[]): Finding['fix'] {
  const text = cell.source.split('\n')[line - 1] ?? ''
  const quoted = [`"${secret.secret}"`, `'${secret.secret}'`].find((candidate) => text.includes(candidate))
  if (quoted === undefined) return null
  const variable = (secret.name ?? 'SECRET').replaceAll(/\W+/g, '_').toUpperCase()
  const fixed = masked(text.replace(quoted, `os.environ["${variable}"]`), all)
  return {
    kind: 'automatic',
    diff: `--- cell ${cell.index}\n+++ cell ${cell.index}\n@@ -${line},1 +${line},1 @@\n-${masked(text, all)}\n+${fixed}\n`,
  }
}

function inOutputs(cell: NotebookCell): readonly Finding[] {
  const texts = cell.outputs.flatMap((output) =>
    Object.entries(output.data).flatMap(([mime, value]) =>
      typeof value === 'string' && !mime.startsWith('image/') ? [value] : [],
    ),
  )
  const found = dedupe(
    texts.flatMap((text) => [...byFormat(text.slice(0, 500_000)), ...byConnection(text.slice(0, 500_000))]),
  )
  return found.map((secret) =>
    finding('N26', {
      cell: cell.index,
      basis: 'file',
      message: `${capital(secret.what)} stands in a saved output. Clear the outputs and revoke it.`,
      evidence: mask(secret.secret),
    }),
  )
}

function byFormat(text: string): Found[] {
  return FORMATS.flatMap(([what, pattern]) =>
    [...text.matchAll(pattern)].map((match) => ({ what, secret: match[0], start: match.index, name: null })),
  )
}

function byConnection(text: string): Found[] {
  return [...text.matchAll(CONNECTION)].flatMap((match) => {
    const secret = match[1] ?? ''
    if (isPlaceholder(secret)) return []
    return [{ what: 'a password in an address', secret, start: match.index, name: null }]
  })
}

function byName(text: string): Found[] {
  return [...text.matchAll(NAMED)].flatMap((match) => {
    const name = match[2] ?? ''
    const secret = match[4] ?? ''
    if (!SECRET_NAME.test(name) || isPlaceholder(secret) || isComment(text, match.index)) return []
    const isPassword = /(?:password|passwd|pwd|passphrase|secret)/i.test(name)
    if (isPassword ? /\s{2,}/.test(secret) : !looksRandom(secret)) return []
    return [{ what: isPassword ? 'a password or secret' : 'a token or key', secret, start: match.index, name }]
  })
}

function isComment(text: string, index: number): boolean {
  return text
    .slice(text.lastIndexOf('\n', index) + 1, index)
    .trimStart()
    .startsWith('#')
}

function isPlaceholder(value: string): boolean {
  return PLACEHOLDER.test(value.trim()) || new Set(value).size <= 2
}

/** Long, without spaces, and with the spread of characters that keys have. */
function looksRandom(value: string): boolean {
  if (value.length < 12 || /[\s(){}\\|]/.test(value)) return false
  return /\d/.test(value) && /[A-Za-z]/.test(value) && entropy(value) > 2.8
}

function entropy(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0)
}

function dedupe(found: readonly Found[]): Found[] {
  return found.filter(
    (item, index) =>
      found.findIndex((other) => other.secret.includes(item.secret) && other.start - item.start < 200) === index,
  )
}

function mask(secret: string): string {
  return `${secret.slice(0, Math.min(4, Math.floor(secret.length / 4)))}… (${secret.length} characters)`
}

function masked(line: string, found: readonly Found[]): string {
  return found.reduce(
    (text, { secret }) =>
      secret
        .split('\n')
        .reduce((result, part) => (part.length < 4 ? result : result.replaceAll(part, mask(part))), text),
    line,
  )
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

const EMAIL = /\b[A-Za-z0-9][\w.+-]{0,60}@[A-Za-z0-9-]{1,60}(?:\.[A-Za-z0-9-]{2,30}){1,3}\b/g
const NOBODY = /@(?:example\.|test\.|localhost|users\.noreply)|^(?:no-?reply|git|info|support|admin|root)@/i
const CARD = /\b(?:\d[ -]?){13,16}\b/g

function personalData(context: AuditContext): readonly Finding[] {
  return context.codeCells.flatMap((cell) => {
    const text = cell.outputs
      .flatMap((output) =>
        [output.data['text/plain'], output.data['text/html']].filter(
          (value): value is string => typeof value === 'string',
        ),
      )
      .join('\n')
      .slice(0, 500_000)
    const emails = new Set([...text.matchAll(EMAIL)].map((match) => match[0]).filter((email) => !NOBODY.test(email)))
    const cards = new Set(
      [...text.matchAll(CARD)]
        .map((match) => match[0].replaceAll(/\D/g, ''))
        .filter((digits) => digits.length >= 13 && luhn(digits) && !/^(\d)\1+$/.test(digits) && /^[3-6]/.test(digits)),
    )
    if (emails.size === 0 && cards.size < 2) return []
    const what =
      emails.size > 0
        ? `${emails.size} e-mail ${emails.size === 1 ? 'address' : 'addresses'}`
        : `${cards.size} numbers that may be payment cards`
    return [
      finding('N57', {
        cell: cell.index,
        message: `The saved output shows ${what}: personal data travels with the file.`,
        evidence: what,
      }),
    ]
  })
}

function luhn(digits: string): boolean {
  const sum = digits
    .split('')
    .toReversed()
    .reduce((total, digit, index) => {
      const value = Number(digit) * (index % 2 === 1 ? 2 : 1)
      return total + (value > 9 ? value - 9 : value)
    }, 0)
  return sum % 10 === 0
}
