/** A unified diff of one cell, small enough to be read in a terminal. Invariant: line numbers are those of the cell. */
export function cellDiff(cell: number, before: string, after: string): string {
  const old = before.split('\n')
  const fresh = after === '' ? [] : after.split('\n')
  let start = 0
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start += 1
  let endOld = old.length
  let endFresh = fresh.length
  while (endOld > start && endFresh > start && old[endOld - 1] === fresh[endFresh - 1]) {
    endOld -= 1
    endFresh -= 1
  }
  const from = Math.max(0, start - 1)
  const to = Math.min(old.length, endOld + 1)
  const context = to - endOld
  const lines = [
    `--- cell ${cell}`,
    `+++ cell ${cell}`,
    `@@ -${from + 1},${to - from} +${from + 1},${endFresh - from + context} @@`,
    ...old.slice(from, start).map((line) => ` ${line}`),
    ...old.slice(start, endOld).map((line) => `-${line}`),
    ...fresh.slice(start, endFresh).map((line) => `+${line}`),
    ...old.slice(endOld, to).map((line) => ` ${line}`),
  ]
  return `${lines.join('\n')}\n`
}

/** The text with lines `first..last` (1-based, inclusive) replaced. */
export function withLines(text: string, first: number, last: number, replacement: readonly string[]): string {
  const lines = text.split('\n')
  lines.splice(first - 1, last - first + 1, ...replacement)
  return lines.join('\n')
}

/** A diff that puts one line in place of another. */
export function lineDiff(cell: number, source: string, line: number, replacement: string): string {
  return cellDiff(cell, source, withLines(source, line, line, [replacement]))
}
