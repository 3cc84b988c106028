/**
 * Every file of the project whose coming, going or changing can change the model: code in any language, and lock files.
 * Hidden folders, node_modules and Python environments are left out; links are followed only inside the project.
 */
import { readdirSync, realpathSync, statSync } from 'node:fs'
import type { Dirent } from 'node:fs'
import path from 'node:path'

const codeFile = /\.(py|pyi|sql|ts|mts|cts|js|mjs|cjs)$/
const lockFile = /^(requirements\.(txt|lock)|package(-lock)?\.json)$/
const ignored = new Set(['node_modules', '__pycache__'])

/** Project-relative, with forward slashes, sorted. */
export function listCode(root: string): readonly string[] {
  const found: string[] = []
  const realRoot = realpathSync(root)
  const linked = new Set<string>()
  const queue = ['']
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    const entries = entriesOf(path.join(root, folder))
    if (folder !== '' && entries.some((entry) => entry.name === 'pyvenv.cfg')) continue
    for (const entry of entries) {
      if (entry.name.startsWith('.') || ignored.has(entry.name)) continue
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`
      const kind = kindOf(entry, path.join(root, name), realRoot, linked)
      if (kind === 'folder') queue.push(name)
      else if (kind === 'file' && (codeFile.test(entry.name) || (folder === '' && lockFile.test(entry.name))))
        found.push(name)
    }
  }
  return found.sort()
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    // Not readable: it holds no code for us.
    return []
  }
}

function kindOf(entry: Dirent, absolute: string, realRoot: string, linked: Set<string>): 'file' | 'folder' | null {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  if (!entry.isSymbolicLink()) return null
  const stat = statSync(absolute, { throwIfNoEntry: false })
  if (stat?.isFile()) return 'file'
  if (!stat?.isDirectory()) return null
  const real = realpathSync(absolute)
  if (linked.has(real) || !real.startsWith(realRoot + path.sep)) return null
  linked.add(real)
  return 'folder'
}
