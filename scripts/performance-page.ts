/** docs/performance.md as sections by title: benchmarks and the full tests each write their own and leave the others. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const page = path.resolve(import.meta.dirname, '../docs/performance.md')

export function readSection(title: string): string | null {
  return readPage().sections.get(title) ?? null
}

/** `order` are the titles that come first; others follow as they stood. `introduction` is kept where it is left out. */
export function writeSection(title: string, text: string, order: readonly string[], introduction?: string): void {
  const { head, sections } = readPage()
  sections.set(title, text)
  const rest = [...sections.keys()].filter((known) => !order.includes(known))
  const titles = [...order.filter((known) => sections.has(known)), ...rest]
  const body = titles.map((it) => `## ${it}\n\n${sections.get(it)}`)
  writeFileSync(page, `${introduction ?? head}\n\n${body.join('\n\n')}\n`)
}

function readPage(): { readonly head: string; readonly sections: Map<string, string> } {
  const [head = '', ...parts] = (existsSync(page) ? readFileSync(page, 'utf8') : '').split(/^## /m)
  const sections = parts.map((part): [string, string] => {
    const end = part.indexOf('\n')
    return [part.slice(0, end), part.slice(end).trim()]
  })
  return { head: head.trim(), sections: new Map(sections) }
}

/** Short id of the commit that is measured or tested. */
export function currentCommit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' })
  const changed = git('status', '--porcelain', '--untracked-files=no').split('\n')
  const dirty = changed.some((line) => line !== '' && !line.endsWith('docs/performance.md'))
  return git('rev-parse', '--short', 'HEAD').trim() + (dirty ? ' with changes' : '')
}
