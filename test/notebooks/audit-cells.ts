/** Audits notebooks given as cells: real facts from a real interpreter in the sandbox of this machine. */
import { auditNotebook } from '../../packages/core/src/notebook/audit/audit-notebook.ts'
import type { AuditFiles } from '../../packages/core/src/notebook/audit/audit-context.ts'
import { loadFacts, loadFactsOfMany, type Interpreter } from '../../packages/core/src/notebook/facts/load-facts.ts'
import type { AuditResult } from '../../packages/core/src/notebook/finding.ts'
import type { NotebookDocument } from '../../packages/core/src/notebook/document.ts'
import { parseNotebook } from '../../packages/core/src/notebook/read/parse-notebook.ts'
import { findPython } from '../../packages/core/src/packages/find-python.ts'
import { openSandbox } from '../../packages/core/src/runtimes/sandbox/open-sandbox.ts'
import type { Sandbox } from '../../packages/core/src/runtimes/sandbox/sandbox.ts'

export interface TestCell {
  readonly source: string
  readonly count?: number | null
  readonly tags?: readonly string[]
  readonly type?: 'code' | 'markdown'
  readonly outputs?: readonly unknown[]
}

export interface AuditOptions {
  readonly files?: readonly string[]
  readonly requirements?: string
  readonly metadata?: unknown
}

let tools: Promise<{ python: Interpreter; sandbox: Sandbox }> | undefined

/** The bare interpreter: an audit needs no project environment. */
export function openTools(): Promise<{ python: Interpreter; sandbox: Sandbox }> {
  tools ??= (async () => {
    const { python, basePrefix } = await findPython()
    return { python: { python, prefix: basePrefix, basePrefix }, sandbox: await openSandbox({ mode: 'auto', python }) }
  })()
  return tools
}

export function documentOf(cells: readonly (string | TestCell)[], metadata: unknown = {}): NotebookDocument {
  const written = cells.map((cell, index) => {
    const given: TestCell = typeof cell === 'string' ? { source: cell } : cell
    if (given.type === 'markdown') return { cell_type: 'markdown', metadata: {}, source: given.source }
    const count = given.count === undefined ? index + 1 : given.count
    return {
      cell_type: 'code',
      metadata: { tags: given.tags ?? [] },
      source: given.source,
      execution_count: count,
      outputs: given.outputs ?? [],
    }
  })
  return parseNotebook(JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells: written }), {
    path: 'test.ipynb',
  })
}

/** Many small notebooks by one process of the interpreter. */
export async function auditMany(
  notebooks: readonly { readonly cells: readonly (string | TestCell)[]; readonly options?: AuditOptions | undefined }[],
): Promise<readonly AuditResult[]> {
  const documents = notebooks.map(({ cells, options }) => documentOf(cells, options?.metadata))
  const facts = await loadFactsOfMany(documents, await openTools())
  return documents.map((document, index) =>
    auditNotebook({
      document,
      facts: facts[index] ?? null,
      projectRoot: null,
      files: filesOf(notebooks[index]?.options ?? {}),
    }),
  )
}

export async function audit(cells: readonly (string | TestCell)[], options: AuditOptions = {}): Promise<AuditResult> {
  const document = documentOf(cells, options.metadata)
  const facts = document.language === 'python' ? await loadFacts(document, await openTools()) : null
  return auditNotebook({ document, facts, projectRoot: null, files: filesOf(options) })
}

const COMMON =
  'numpy\npandas\nscikit-learn\nmatplotlib\nseaborn\nscipy\nstatsmodels\nrequests\nduckdb\nsqlalchemy\nipywidgets\njoblib\n'

function filesOf({ files = [], requirements = COMMON }: AuditOptions): AuditFiles {
  return {
    paths: files,
    notebookFolder: '',
    requirements: requirements === '' ? {} : { 'requirements.txt': requirements },
  }
}

/** `N02@1:3` for every finding, without those named in `except`. */
export function placesOf(result: AuditResult, except: readonly string[] = []): readonly string[] {
  return result.findings
    .filter(({ code }) => !except.includes(code))
    .map(({ code, cell, line }) => `${code}@${cell ?? '-'}:${line ?? '-'}`)
}

export function codesOf(result: AuditResult): readonly string[] {
  return [...new Set(result.findings.map(({ code }) => code))].sort()
}
