/**
 * Import names that files of the project answer to: modules beside the notebook and at the project's root, and those that
 * the notebook writes itself. They are never looked for in a package index, where somebody else may own the name.
 */
import path from 'node:path'
import type { NotebookDocument } from '../document.ts'

/** `files`: relative to the project, forward slashes. */
export function localModules(document: NotebookDocument, files: readonly string[]): readonly string[] {
  const folder = path.posix.dirname(document.path)
  const below = folder === '.' ? '' : `${folder}/`
  const near = files.filter((file) => file.startsWith(below)).map((file) => file.slice(below.length))
  // With a path of its own, any module of the project may be meant.
  const movesPath = document.cells.some(
    ({ type, source }) => type === 'code' && /\bsys\.path\b|\bsite\.addsitedir\b/.test(source),
  )
  const deep = movesPath ? files.flatMap((file) => endsOf(file)) : []
  const names = [...near, ...files, ...deep, ...writtenModules(document)].flatMap((file) => {
    const [first, ...rest] = file.split('/')
    if (first === undefined || !file.endsWith('.py')) return []
    return [rest.length === 0 ? first.slice(0, -'.py'.length) : first]
  })
  return [...new Set(names)].sort()
}

/** `a/b/c.py` as it is seen from each folder above it. */
function endsOf(file: string): readonly string[] {
  const parts = file.split('/')
  return parts.map((_, at) => parts.slice(at).join('/'))
}

function writtenModules(document: NotebookDocument): readonly string[] {
  return document.cells.flatMap(({ type, source }) => {
    const found = type === 'code' ? /^%%(?:writefile|file)\s+(?:-a\s+)?(?:\.\/)?([\w./-]+\.py)\s*$/m.exec(source) : null
    return found?.[1] === undefined ? [] : [found[1]]
  })
}
