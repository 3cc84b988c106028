/**
 * Paths that no longer lead anywhere (another machine's home, another working folder) are led to the file of the same
 * name in the project, each as a diff. Nothing is guessed between two candidates: then `--source` must say which.
 */
import path from 'node:path'
import type { NotebookCell, NotebookDocument } from '../document.ts'
import type { Refusal, Repair } from '../graduation.ts'
import type { Literal, NotebookFacts, StatementFacts, TokenUse } from '../ir.ts'
import { cellDiff } from '../audit/cell-diff.ts'
import { replaceSpans } from './replace-spans.ts'
import type { Replacement } from './replace-spans.ts'

export interface RepairRequest {
  readonly document: NotebookDocument
  readonly facts: NotebookFacts
  /** The notebook's folder, relative to the project. */
  readonly folder: string
  /** Every file of the project, relative, forward slashes. */
  readonly files: readonly string[]
  /** From `--source name=path`: name is the file's stem, path is relative to the project. */
  readonly sources: ReadonlyMap<string, string>
}

export interface Repaired {
  readonly document: NotebookDocument
  readonly repairs: readonly Repair[]
  readonly refusals: readonly Refusal[]
}

export function repairPaths(request: RepairRequest): Repaired {
  // Where relative paths lead changes on the way: only a run can tell.
  if (tokensOf(request.facts).some(({ token, mode }) => token === 'cfg:cwd' && mode === 'write'))
    return { document: request.document, repairs: [], refusals: [] }
  const known = new Set(request.files)
  const written = writtenPaths(request.facts)
  const repairs: Repair[] = []
  const refusals: Refusal[] = []
  const cells = request.document.cells.map((cell) => {
    const facts = request.facts.cells.find(({ index }) => index === cell.index)
    if (cell.type !== 'code' || facts === undefined) return cell
    const replacements: Replacement[] = []
    for (const statement of facts.statements) {
      for (const literal of brokenPaths(request, statement, known)) {
        if (written.has(normal(literal.value))) continue
        const found = findFile(request, literal.value)
        // A file whose name only a run can tell may be this one.
        if (typeof found !== 'string' && written.has('?')) continue
        if (typeof found !== 'string') refusals.push({ code: 'N21', cell: cell.index, message: found.message })
        else {
          const text = pythonString(path.posix.relative(request.folder, found))
          replacements.push({ span: literal.span, text })
        }
      }
    }
    return replacements.length === 0 ? cell : repairedCell(request, cell, replacements, repairs)
  })
  return { document: { ...request.document, cells }, repairs, refusals }
}

function repairedCell(
  request: RepairRequest,
  cell: NotebookCell,
  replacements: readonly Replacement[],
  repairs: Repair[],
): NotebookCell {
  const source = replaceSpans(cell.source, replacements)
  repairs.push({
    code: 'N20',
    cell: cell.index,
    diff: cellDiff(cell.index, cell.source, source),
    message: `cell ${cell.index} reads a path that is not here; the file of that name in the project is read instead`,
    confirmedBy: request.sources.size > 0 ? '--source' : null,
  })
  return { ...cell, source }
}

const SHELLS = /^(bash|sh|script|system|sx)$/

/** What the notebook writes itself, at cell level or in a function; `?` for paths that only a run can tell. */
function writtenPaths(facts: NotebookFacts): ReadonlySet<string> {
  const statements = facts.cells.flatMap((cell) => cell.statements)
  const tokens = statements.flatMap((one) => [
    ...one.tokens,
    ...one.definitions.flatMap(({ lateTokens }) => lateTokens),
  ])
  const writes = tokens.filter(({ token, mode }) => mode === 'write' && token.startsWith('file:'))
  const runsPrograms = facts.cells.some(({ magics }) =>
    magics.some(({ kind, name }) => kind === 'shell' || SHELLS.test(name)),
  )
  return new Set([...writes.map(({ token }) => normal(token.slice('file:'.length))), ...(runsPrograms ? ['?'] : [])])
}

function tokensOf(facts: NotebookFacts): readonly TokenUse[] {
  const statements = facts.cells.flatMap((cell) => cell.statements)
  return statements.flatMap((one) => [...one.tokens, ...one.definitions.flatMap(({ lateTokens }) => lateTokens)])
}

function normal(value: string): string {
  return path.posix.normalize(value.replaceAll('\\', '/'))
}

/** Literal paths that the statement reads and that are not there from the notebook's folder. */
function brokenPaths(
  request: RepairRequest,
  statement: StatementFacts,
  known: ReadonlySet<string>,
): readonly Literal[] {
  const read = new Set(
    statement.tokens
      .filter(({ token, mode, why }) => token.startsWith('file:') && mode === 'read' && !mayCreate(why))
      .map(({ token }) => token.slice('file:'.length)),
  )
  return statement.literals.filter((literal) => {
    if (
      literal.type !== 'str' ||
      !read.has(literal.value) ||
      /[*?[\]]/.test(literal.value) ||
      literal.value.includes('://')
    )
      return false
    return !isThere(request, literal.value, known)
  })
}

/** A database that is not there is made by connecting to it. */
function mayCreate(why: string): boolean {
  return /(^|\.)connect\b/.test(why)
}

function isThere(request: RepairRequest, value: string, known: ReadonlySet<string>): boolean {
  if (path.posix.isAbsolute(value) || /^[A-Za-z]:[\\/]/.test(value) || value.startsWith('~')) return false
  const relative = path.posix.normalize(path.posix.join(request.folder, value.replaceAll('\\', '/')))
  return known.has(relative) || request.files.some((file) => file.startsWith(`${relative}/`))
}

function findFile(request: RepairRequest, value: string): string | { readonly message: string } {
  const plain = value.replaceAll('\\', '/')
  const base = path.posix.basename(plain)
  const named = request.sources.get(path.posix.parse(base).name)
  if (named !== undefined) {
    return request.files.includes(named) ? named : { message: `--source names ${named}, which is not in the project` }
  }
  const candidates = request.files.filter((file) => path.posix.basename(file) === base)
  if (candidates.length === 1) return candidates[0]!
  const stem = path.posix.parse(base).name
  if (candidates.length === 0)
    return { message: `the file ${base} is missing; put it into the project, or name it: --source ${stem}=PATH` }
  const ranked = candidates
    .map((file) => ({ file, shared: sharedEnd(file, plain) }))
    .sort((a, b) => b.shared - a.shared)
  if (ranked[0]!.shared > ranked[1]!.shared) return ranked[0]!.file
  return {
    message: `several files are called ${base}: ${candidates.join(', ')}; choose one: --source ${stem}=${candidates[0]!}`,
  }
}

function sharedEnd(a: string, b: string): number {
  const [left, right] = [a.split('/').reverse(), b.split('/').reverse()]
  let shared = 0
  while (shared < left.length && left[shared] === right[shared]) shared++
  return shared
}

function pythonString(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
