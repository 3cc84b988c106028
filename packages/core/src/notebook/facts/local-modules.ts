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
  const names = [...near, ...files, ...writtenModules(document)].flatMap((file) => {
    const [first, ...rest] = file.split('/')
    if (first === undefined || !file.endsWith('.py')) return []
    return [rest.length === 0 ? first.slice(0, -'.py'.length) : first]
  })
  return [...new Set(names)].sort()
}

function writtenModules(document: NotebookDocument): readonly string[] {
  return document.cells.flatMap(({ type, source }) => {
    const found = type === 'code' ? /^%%(?:writefile|file)\s+(?:-a\s+)?(?:\.\/)?([\w./-]+\.py)\s*$/m.exec(source) : null
    return found?.[1] === undefined ? [] : [found[1]]
  })
}
