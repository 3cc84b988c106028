/**
 * `audit`: reads notebooks and applies every rule. Executes nothing, unless a run is asked for; works with or without a
 * project, and without Python it checks what the file alone tells.
 */
import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { auditNotebook } from '../notebook/audit/audit-notebook.ts'
import type { AuditFiles } from '../notebook/audit/audit-context.ts'
import { loadFacts } from '../notebook/facts/load-facts.ts'
import type { Interpreter } from '../notebook/facts/load-facts.ts'
import type { AuditResult } from '../notebook/finding.ts'
import { readNotebook } from '../notebook/read/read-notebook.ts'
import { bareEnvironment } from '../packages/bare-environment.ts'
import { loadEnvironment } from '../packages/load-environment.ts'
import { isCellmillError } from '../errors.ts'
import { findProject } from '../project/find-project.ts'
import type { Sandbox } from '../runtimes/sandbox/sandbox.ts'
import { listFiles } from './list-files.ts'

export interface AuditOptions {
  readonly notebooks: readonly string[]
  readonly cwd: string
  readonly sandbox: () => Promise<Sandbox>
}

export async function auditNotebooks(options: AuditOptions): Promise<readonly AuditResult[]> {
  const results: AuditResult[] = []
  for (const notebook of options.notebooks) results.push(await auditOne(options, notebook))
  return results
}

async function auditOne(options: AuditOptions, notebook: string): Promise<AuditResult> {
  const absolute = path.resolve(options.cwd, notebook)
  const root = projectOf(path.dirname(absolute))
  const base = root ?? path.dirname(absolute)
  const document = await readNotebook(absolute, {
    displayPath: path.relative(base, absolute).split(path.sep).join('/') || notebook,
  })
  const python = document.language === 'python' ? await interpreterOf(root) : null
  const files = auditFiles(base, absolute)
  const facts =
    python === null
      ? null
      : await loadFacts(document, { python, sandbox: await options.sandbox(), localModules: localModules(files) })
  return auditNotebook({ document, facts, projectRoot: root, files })
}

function projectOf(folder: string): string | null {
  try {
    return findProject(folder)
  } catch (error) {
    if (!isCellmillError(error, 'PROJECT_NOT_FOUND')) throw error
    return null
  }
}

/** The project's environment where it is installed, else the bare interpreter; null where there is no Python. */
async function interpreterOf(root: string | null): Promise<Interpreter | null> {
  try {
    const environment = root === null ? null : await loadEnvironment({ root })
    return environment ?? (await bareEnvironment())
  } catch (error) {
    if (isCellmillError(error, 'PYTHON_NOT_FOUND')) return null
    if (isCellmillError(error, 'PACKAGES_NOT_INSTALLED') || isCellmillError(error, 'PACKAGES_DRIFTED'))
      return bareEnvironment()
    throw error
  }
}

const requirementFile =
  /(^|\/)(requirements[\w.-]*\.(txt|lock|in)|environment\.ya?ml|pyproject\.toml|Pipfile|setup\.(py|cfg))$/
const largestText = 1_000_000

export function auditFiles(base: string, notebook: string): AuditFiles {
  const paths = listFiles(base)
  const requirements: Record<string, string> = {}
  for (const name of paths) {
    if (!requirementFile.test(name)) continue
    const file = path.join(base, name)
    if (statSync(file).size <= largestText) requirements[name] = readFileSync(file, 'utf8')
  }
  const folder = path.relative(base, path.dirname(notebook)).split(path.sep).join('/')
  return { paths, notebookFolder: folder, requirements }
}

function localModules(files: AuditFiles): readonly string[] {
  const names = files.paths.flatMap((name) => {
    const relative =
      files.notebookFolder === ''
        ? name
        : name.startsWith(`${files.notebookFolder}/`)
          ? name.slice(files.notebookFolder.length + 1)
          : name
    const [first] = relative.split('/')
    if (relative.endsWith('.py')) return [relative.includes('/') ? first! : relative.slice(0, -'.py'.length)]
    return []
  })
  return [...new Set(names)]
}
