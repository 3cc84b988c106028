/** Every file of a project that a notebook may mean, relative, forward slashes. State, dependencies and git are passed over. */
import { readdirSync } from 'node:fs'
import path from 'node:path'

const skipped = new Set([
  '.git',
  '.cellmill',
  'node_modules',
  '__pycache__',
  '.venv',
  '.ipynb_checkpoints',
  '.mypy_cache',
  '.pytest_cache',
])
const most = 100_000

export function listFiles(root: string): readonly string[] {
  const files: string[] = []
  const walk = (below: string): void => {
    for (const entry of readdirSync(path.join(root, below), { withFileTypes: true })) {
      if (files.length >= most) return
      const name = path.posix.join(below, entry.name)
      if (entry.isDirectory()) {
        if (!skipped.has(entry.name)) walk(name)
      } else if (entry.isFile()) files.push(name)
    }
  }
  walk('')
  return files.sort()
}
