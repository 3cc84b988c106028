/** What Cellmill asks of git, read from its files where that is enough: starting git costs more than a whole plan. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'

/** Null outside a repository, and on a detached HEAD. */
export function currentBranch(folder: string): string | null {
  const head = headOf(folder)
  return head?.startsWith('ref: refs/heads/') === true ? head.slice('ref: refs/heads/'.length) : null
}

/** The commit that HEAD names; null outside a repository or before the first commit. */
export function currentCommit(folder: string): string | null {
  return git(folder, ['rev-parse', '--verify', '--quiet', 'HEAD'])
}

export function authorName(folder: string, variables: Readonly<Record<string, string | undefined>>): string {
  return git(folder, ['config', 'user.name']) ?? variables['USER'] ?? variables['LOGNAME'] ?? 'unknown'
}

function headOf(folder: string): string | null {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const dot = path.join(at, '.git')
    if (existsSync(dot)) {
      const gitFolder = statSync(dot).isDirectory() ? dot : worktreeFolder(at, dot)
      const head = path.join(gitFolder, 'HEAD')
      return existsSync(head) ? readFileSync(head, 'utf8').trim() : null
    }
    if (path.dirname(at) === at) return null
  }
}

function worktreeFolder(at: string, dotFile: string): string {
  const text = readFileSync(dotFile, 'utf8')
  return path.resolve(at, text.replace(/^gitdir:\s*/, '').trim())
}

function git(folder: string, args: readonly string[]): string | null {
  try {
    const answer = execFileSync('git', ['-C', folder, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 5_000,
    }).trim()
    return answer === '' ? null : answer
  } catch {
    // No git, no repository, or no such setting: all mean that there is nothing to tell.
    return null
  }
}
