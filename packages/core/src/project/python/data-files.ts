/** Digests of the files that code may read beside itself, for every module and every asset folder that sees it. */
import type { PythonFacts } from '../../fingerprint/python/facts.ts'
import { folderOfFile } from '../../fingerprint/python/modules.ts'
import { Names } from '../../fingerprint/python/names.ts'
import { pathsOf, readPaths } from '../../fingerprint/python/paths.ts'
import type { ReachedPath } from '../../fingerprint/python/paths.ts'
import type { ProjectFiles } from './python-files.ts'

interface DataFiles {
  readonly data: Record<string, string | null>
  readonly folders: Record<string, readonly string[]>
}

export function dataFiles(files: ProjectFiles, facts: PythonFacts): DataFiles {
  const found: DataFiles = { data: {}, folders: {} }
  for (const { path, exact, isLiteral } of wanted(files, facts)) addPath(files, found, { path, exact, isLiteral })
  return found
}

interface WantedPath extends ReachedPath {
  /** Named by its text alone, which may be no path of the project at all. */
  readonly isLiteral: boolean
}

function addPath(files: ProjectFiles, found: DataFiles, { path, exact, isLiteral }: WantedPath): void {
  if (Object.hasOwn(found.data, path) || Object.hasOwn(found.folders, path)) return
  if (files.hasFolder(path) && !isLiteral) {
    const below = files.below(path)
    found.folders[path] = below ?? [`${path}/*`]
    if (below === null) found.data[`${path}/*`] = files.unknownDigest()
    else for (const file of below) found.data[file] = files.digest(file)
  } else if (files.hasFile(path)) found.data[path] = files.digest(path)
  // What is not there yet changes the result when it comes.
  else if (exact && !isLiteral) found.data[path] = null
}

function* wanted(files: ProjectFiles, facts: PythonFacts): Generator<WantedPath> {
  const modules = Object.entries(facts.modules)
  const holdsPaths = modules.some(([, { facts }]) => Object.values(facts.units).some((unit) => unit.path !== undefined))
  const folders = facts.assetFolders
  for (const folder of folders) {
    const names = new Names(facts, files, folder)
    for (const [file, { facts: module }] of modules) {
      // Asset files are seen through their own folder alone.
      if (folders.includes(folderOfFile(file)) && folderOfFile(file) !== folder && module.steps.length > 0) continue
      for (const code of [...module.sequence, ...Object.values(module.units)]) {
        const data = readPaths(code).filter(([base]) => holdsPaths || !base.startsWith('name:'))
        for (const fact of data) {
          const isLiteral = fact[0] === 'literal'
          for (const reached of pathsOf(names, file, { ...code, data: [fact] })) yield { ...reached, isLiteral }
        }
      }
    }
  }
}
