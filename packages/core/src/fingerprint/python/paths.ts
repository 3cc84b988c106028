/** Which project files a piece of code may read beside itself, from the paths it builds (see _discover/paths.py). */
import path from 'node:path'
import type { CodeFacts, PathFact } from './facts.ts'
import { folderOfFile, join } from './modules.ts'
import type { Names } from './names.ts'

export interface ReachedPath {
  /** Project-relative; '' is the project itself. */
  readonly path: string
  /** False: anything below it. */
  readonly exact: boolean
}

/** The paths that the code itself reads: a name that only holds one reads nothing, those who use it do. */
export function readPaths(code: Partial<CodeFacts> & { readonly path?: PathFact }): readonly PathFact[] {
  const { data = [], path: held } = code
  return held === undefined ? data : data.filter((fact) => JSON.stringify(fact) !== JSON.stringify(held))
}

/** Paths that leave the project are left out: nothing there is visible to a step. */
export function pathsOf(names: Names, file: string, code: Partial<CodeFacts>): ReachedPath[] {
  return (code.data ?? []).flatMap((fact) => resolvePath(names, file, fact, { local: code.local, depth: 0 }))
}

export function resolvePath(
  names: Names,
  file: string,
  [base, parts, exact]: PathFact,
  context: { readonly local?: CodeFacts['local']; readonly depth: number } = { depth: 0 },
): ReachedPath[] {
  const colon = base.indexOf(':')
  const kind = colon < 0 ? base : base.slice(0, colon)
  const name = base.slice(colon + 1)
  const follow = (start: string, known = true): ReachedPath[] => {
    const joined = path.posix.normalize(`./${[start, ...parts].filter((part) => part !== '').join('/')}`)
    if (joined === '..' || joined.startsWith('../') || parts.some((part) => part.includes('\0'))) return []
    return [{ path: joined === '.' ? '' : joined.replace(/\/$/, ''), exact: exact && known }]
  }
  if (kind === '__file__') return follow(file)
  if (kind === 'literal') return [...new Set(['', folderOfFile(file)])].flatMap((start) => follow(start))
  if (kind === 'package') return packageFolders(names, file, name).flatMap((folder) => follow(folder))
  if (context.depth > 20) return []
  const found = names.lookUp(file, name, context.local)
  if (kind === 'file') {
    return found.wholes.flatMap((located) => (located.file === null ? [] : follow(located.file)))
  }
  return found.units.flatMap((named) => {
    const held = names.module(named.file)?.units[named.name]?.path
    if (held === undefined) return []
    return resolvePath(names, named.file, held, { depth: context.depth + 1 }).flatMap((start) =>
      start.exact ? follow(start.path) : [start],
    )
  })
}

function packageFolders(names: Names, file: string, name: string): readonly string[] {
  const level = /^\.*/.exec(name)![0].length
  const located = names.search.locate(name.slice(level), level, file)
  if (located === null) return []
  return located.folders.length > 0 ? located.folders : [folderOfFile(located.file ?? join('', name))]
}
