/**
 * Where a text stops being JSON: V8 tells the position for some errors only. Invariant: iterative, so that depth does
 * not matter; called only for text that `JSON.parse` refused.
 */
const TOKEN =
  /[\t\n\r ]*(?:([{}[\]:,])|("(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/uy

type Expected = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing'

/** Index of the first character that does not belong; the text's length when it only ends too early. */
export function jsonErrorPosition(text: string): number {
  const open: string[] = []
  let expected: Expected = 'value'
  TOKEN.lastIndex = 0
  for (;;) {
    const start = skipSpace(text, TOKEN.lastIndex)
    if (start >= text.length) return text.length
    const match = TOKEN.exec(text)
    if (match === null) return start
    const next = step(expected, match, open)
    if (next === null) return start
    expected = next
  }
}

function skipSpace(text: string, from: number): number {
  let index = from
  while (index < text.length && /[\t\n\r ]/.test(text.charAt(index))) index += 1
  return index
}

/** What may follow; null when the token may not stand here. */
function step(expected: Expected, match: RegExpExecArray, open: string[]): Expected | null {
  const [, mark, text, scalar] = match
  if (mark === '{' || mark === '[') {
    if (expected !== 'value' && expected !== 'value-or-end') return null
    open.push(mark)
    return mark === '{' ? 'key-or-end' : 'value-or-end'
  }
  if (mark === '}' || mark === ']') {
    const mayEnd = expected === 'comma-or-end' || expected === (mark === '}' ? 'key-or-end' : 'value-or-end')
    if (!mayEnd || open.pop() !== (mark === '}' ? '{' : '[')) return null
    return open.length === 0 ? 'nothing' : 'comma-or-end'
  }
  if (mark === ':') return expected === 'colon' ? 'value' : null
  if (mark === ',') return expected === 'comma-or-end' ? (open.at(-1) === '{' ? 'key' : 'value') : null
  if (expected === 'key' || expected === 'key-or-end') return text === undefined ? null : 'colon'
  if (expected !== 'value' && expected !== 'value-or-end') return null
  return text === undefined && scalar === undefined ? null : open.length === 0 ? 'nothing' : 'comma-or-end'
}
