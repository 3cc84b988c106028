/**
 * Where state lies by default: `.cellmill` in the main git worktree, so that branches and worktrees share results. Read
 * from git's own files, as `git rev-parse --git-common-dir` does, because starting git costs more than a whole plan.
 */
import { lstatSync, readFileSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'

export function defaultStateFolder(root: string): string {
  return path.join(sharedRoot(root), '.cellmill')
}

/** The folder in the main worktree that corresponds to `root`; `root` itself outside a linked worktree. */
function sharedRoot(root: string): string {
  for (let at = path.resolve(root); ; at = path.dirname(at)) {
    const dot = path.join(at, '.git')
    const stat = lstatSync(dot, { throwIfNoEntry: false })
    if (stat?.isDirectory()) return root
    if (stat?.isFile()) return path.join(mainWorktree(at, dot) ?? at, path.relative(at, path.resolve(root)))
    if (path.dirname(at) === at) return root
  }
}

/** Null for submodules, bare repositories and anything that does not look like a linked worktree. */
function mainWorktree(worktree: string, dotFile: string): string | null {
  try {
    const gitFolder = path.resolve(
      worktree,
      readFileSync(dotFile, 'utf8')
        .replace(/^gitdir:\s*/, '')
        .trim(),
    )
    const common = path.resolve(gitFolder, readFileSync(path.join(gitFolder, 'commondir'), 'utf8').trim())
    // The pointer must be mutual, so that a stray `.git` file cannot send state elsewhere.
    const back = readFileSync(path.join(gitFolder, 'gitdir'), 'utf8').trim()
    if (realpathSync(path.resolve(gitFolder, back)) !== realpathSync(dotFile)) return null
    return path.basename(common) === '.git' && statSync(common).isDirectory() ? path.dirname(common) : null
  } catch {
    // A `.git` file without these beside it belongs to a submodule: state stays with the project.
    return null
  }
}
