/**
 * What lies around a notebook, for the rules on files and packages. Invariant: bounded (files, depth), never follows
 * links, never leaves the base folder, and reads only requirements files.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import type { AuditFiles } from './audit-context.ts'

const MAX_FILES = 50_000
const MAX_DEPTH = 12
const MAX_REQUIREMENTS_BYTES = 4 * 1024 * 1024
const SKIPPED = new Set([
  '.git',
  '.cellmill',
  '.ipynb_checkpoints',
  'node_modules',
  '__pycache__',
  '.venv',
  'venv',
  '.tox',
  '.mypy_cache',
  '.pytest_cache',
  'site-packages',
])
const REQUIREMENTS =
  /^(requirements[\w.-]*\.(txt|in|lock)|requirements\.lock|pyproject\.toml|environment\.ya?ml|conda\.ya?ml|Pipfile(\.lock)?|poetry\.lock|uv\.lock|setup\.(py|cfg)|pixi\.(toml|lock))$/

/** `notebook` is absolute; the base is the project's root, or the notebook's folder. */
export async function loadAuditFiles(notebook: string, projectRoot: string | null): Promise<AuditFiles> {
  const base = projectRoot ?? dirname(notebook)
  const paths = await walk(base)
  const requirements: Record<string, string> = {}
  for (const path of paths) {
    const name = path.split('/').at(-1) ?? ''
    if (REQUIREMENTS.test(name) && path.split('/').length <= 3) {
      const text = await textOf(join(base, path))
      if (text !== null) requirements[path] = text
    }
  }
  const folder = relative(base, dirname(notebook)).split(sep).join('/')
  return { paths, notebookFolder: folder.startsWith('..') ? '' : folder, requirements }
}

async function walk(base: string): Promise<readonly string[]> {
  const found: string[] = []
  const pending: { folder: string; depth: number }[] = [{ folder: '', depth: 0 }]
  for (let next = pending.shift(); next !== undefined && found.length < MAX_FILES; next = pending.shift()) {
    for (const entry of await entriesOf(join(base, next.folder))) {
      const path = next.folder === '' ? entry.name : `${next.folder}/${entry.name}`
      if (entry.isDirectory() && next.depth < MAX_DEPTH && !SKIPPED.has(entry.name))
        pending.push({ folder: path, depth: next.depth + 1 })
      else if (!entry.isDirectory()) found.push(path)
    }
  }
  return found.slice(0, MAX_FILES)
}

async function entriesOf(folder: string): Promise<readonly { name: string; isDirectory: () => boolean }[]> {
  try {
    return (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch {
    // Gone meanwhile, or not ours to read: what cannot be listed is not there for the notebook either.
    return []
  }
}

async function textOf(path: string): Promise<string | null> {
  try {
    const found = await stat(path)
    return found.isFile() && found.size <= MAX_REQUIREMENTS_BYTES ? await readFile(path, 'utf8') : null
  } catch {
    // As above.
    return null
  }
}
