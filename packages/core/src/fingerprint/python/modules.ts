/**
 * Where an import leads inside the project: the interpreter's own search (package, module, then namespace folder), over
 * the project's root and the asset file's folder. Pure: what exists is an argument, the disk or the facts.
 */
import path from 'node:path'

export interface Tree {
  hasFile(file: string): boolean
  hasFolder(folder: string): boolean
}

export interface Located {
  /** The module's file; null for a namespace folder. */
  readonly file: string | null
  /** Files that importing it runs, in order, the parents' `__init__.py` first. */
  readonly runs: readonly string[]
  /** Folders in which its submodules are. */
  readonly folders: readonly string[]
}

export function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}

export function folderOfFile(file: string): string {
  const folder = path.posix.dirname(file)
  return folder === '.' ? '' : folder
}

export class ModuleSearch {
  readonly #tree: Tree
  readonly #roots: readonly string[]
  readonly #known: Map<string, Located | null> = new Map()

  /** `folder` is the asset file's own folder; the project's root comes first. */
  constructor(tree: Tree, folder: string) {
    this.#tree = tree
    this.#roots = folder === '' ? [''] : ['', folder]
  }

  /** An absolute import (`level` 0) or one relative to `from`. Null when the project has no such module. */
  locate(module: string, level: number, from: string): Located | null {
    const key = level === 0 ? module : `${level}:${folderOfFile(from)}:${module}`
    let found = this.#known.get(key)
    if (found === undefined) {
      found = level === 0 ? this.#absolute(module) : this.#relative(module, level, from)
      this.#known.set(key, found)
    }
    return found
  }

  submodule(parent: Located, name: string): Located | null {
    return this.#step(parent.folders, name)
  }

  #absolute(module: string): Located | null {
    return this.#walk(module.split('.'), { file: null, runs: [], folders: this.#roots })
  }

  #relative(module: string, level: number, from: string): Located | null {
    let folder = folderOfFile(from)
    for (let i = 1; i < level; i++) {
      if (folder === '') return null
      folder = folderOfFile(folder)
    }
    const init = join(folder, '__init__.py')
    const hasInit = this.#tree.hasFile(init)
    const start: Located = { file: hasInit ? init : null, runs: packagesAbove(this.#tree, folder), folders: [folder] }
    return module === '' ? start : this.#walk(module.split('.'), start)
  }

  #walk(parts: readonly string[], start: Located): Located | null {
    let current = start
    for (const part of parts) {
      const next = this.#step(current.folders, part)
      if (next === null) return null
      current = next
    }
    return current
  }

  #step(folders: readonly string[], name: string): Located | null {
    if (name === '' || name.includes('/')) return null
    const portions: string[] = []
    for (const folder of folders) {
      const base = join(folder, name)
      const init = `${base}/__init__.py`
      if (this.#tree.hasFile(init)) return { file: init, runs: packagesAbove(this.#tree, base), folders: [base] }
      const file = `${base}.py`
      if (this.#tree.hasFile(file)) return { file, runs: [...packagesAbove(this.#tree, folder), file], folders: [] }
      if (this.#tree.hasFolder(base)) portions.push(base)
    }
    return portions.length === 0
      ? null
      : { file: null, runs: packagesAbove(this.#tree, portions[0]!), folders: portions }
  }
}

/** Every module runs under its path below the root, whatever it was imported as: all `__init__.py` above it, outermost first. */
export function packagesAbove(tree: Tree, folder: string): string[] {
  const found: string[] = []
  for (let current = folder; current !== ''; current = folderOfFile(current)) {
    const init = join(current, '__init__.py')
    if (tree.hasFile(init)) found.unshift(init)
  }
  return found
}

/** The tree as far as the facts know it. */
export function treeOf(files: Iterable<string>): Tree {
  const known = new Set(files)
  const folders = new Set<string>()
  for (const file of known) {
    for (let folder = folderOfFile(file); folder !== '' && !folders.has(folder); folder = folderOfFile(folder)) {
      folders.add(folder)
    }
  }
  return { hasFile: (file) => known.has(file), hasFolder: (folder) => folder === '' || folders.has(folder) }
}
