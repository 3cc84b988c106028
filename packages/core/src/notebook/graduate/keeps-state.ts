/** Whether copies of a definition would behave as the one original: judged by its text, and in doubt they would not. */
import type { Unit } from '../dataflow/units.ts'

/** Mutable defaults, attributes of the function or class, class-level containers and counters. */
export function keepsState(unit: Unit, text: string, name: string): boolean {
  const owner = name.replaceAll(/\W/gu, '')
  const container = String.raw`(\[|\{|(list|dict|set|bytearray|deque|defaultdict|Counter|OrderedDict|iter|count|cycle|[A-Z]\w*)\()`
  if (signatures(text).some((one) => new RegExp(String.raw`=\s*${container}`, 'u').test(one))) return true
  if (
    new RegExp(
      String.raw`\b(${owner}|cls|__class__|type\(self\))\.\w+(\[[^\]]*\])?\s*([+\-*/|&^%@]|//|\*\*|<<|>>)?=(?!=)`,
      'u',
    ).test(text)
  )
    return true
  if (unit.facts.kind !== 'class') return false
  return (
    new RegExp(String.raw`^[ \t]+\w+\s*(:[^=\n]+)?=\s*(${container}|\w+\(|itertools)`, 'mu').test(classLevel(text)) ||
    /\b(cls|__class__|type\(self\))\.\w+/u.test(text)
  )
}

/** What stands between the brackets of each `def`. */
function signatures(text: string): string[] {
  return [...text.matchAll(/\bdef\s+\w+\s*\(/gu)].map((found) => {
    const start = found.index + found[0].length
    let depth = 1
    let end = start
    for (; end < text.length && depth > 0; end += 1) {
      if ('([{'.includes(text[end] ?? '')) depth += 1
      else if (')]}'.includes(text[end] ?? '')) depth -= 1
    }
    return text.slice(start, end - 1)
  })
}

/** Lines of a class body at its own level: one indent, outside methods. */
function classLevel(text: string): string {
  const lines = text.split('\n').slice(1)
  const first = lines.find((line) => line.trim() !== '' && !line.trim().startsWith('#'))
  const indent = first === undefined ? '' : first.slice(0, first.length - first.trimStart().length)
  return lines.filter((line) => line.startsWith(indent) && !/^\s/u.test(line.slice(indent.length))).join('\n')
}

export function readsByName(text: string, word: string): boolean {
  return new RegExp(String.raw`@${word}\b|\{${word}\b|\b(query|eval|sql|ols|glm|formula)\b`, 'u').test(text)
}
