/** N20 to N25: files, tables and the network. Invariant: only places whose name is known in full lead to a finding. */
import { posix } from 'node:path'
import type { Finding } from '../../finding.ts'
import {
  cellsListed,
  finding,
  groupBy,
  lineText,
  shorten,
  type AuditContext,
  type AuditFiles,
  type Rule,
} from '../audit-context.ts'
import { lineDiff } from '../cell-diff.ts'
import { tokenParts, tokensOf, type PlacedToken } from '../token-flow.ts'

export const pathRules: readonly Rule[] = [
  { codes: ['N20'], needs: 'facts', find: machinePaths },
  { codes: ['N21'], needs: 'files', find: missingFiles },
  { codes: ['N22', 'N23'], needs: 'facts', find: filesBetweenCells },
  { codes: ['N24'], needs: 'facts', find: tablesBetweenCells },
  { codes: ['N25'], needs: 'facts', find: networkReads },
]

/** Folders of one person, one machine or one service. */
const PERSONAL =
  /^(?:[A-Za-z]:[\\/]|\\\\[\w.-]+\\|\/Users\/|\/home\/|\/root\/|~\/|\/content\/|\/kaggle\/|\/gdrive\/|\/mnt\/|\/media\/|\/dbfs\/|\/opt\/|\/data\/|\/scratch\/|file:\/\/\/)/
const HARMLESS = /^\/(?:dev\/|proc\/|tmp\/|$)/
/** Calls that only ask whether something is there. */
const ASKS = /^os\.path\.|\.(exists|is_file|is_dir|stat)$|^os\.(remove|unlink|rmdir)/

function machinePaths(context: AuditContext): readonly Finding[] {
  const literals = context.statements.flatMap((statement) =>
    statement.facts.literals
      .filter(
        ({ type, value }) =>
          (type === 'str' || type === 'fstring') &&
          PERSONAL.test(value) &&
          !value.includes('\n') &&
          value.length < 400 &&
          /[\w.]/.test(value.slice(3)),
      )
      .map(({ value, span }) => ({ cell: statement.cell, line: span.line, path: value })),
  )
  const used = tokensOf(context)
    .map((token) => ({ token, place: tokenParts(token.use.token) }))
    .filter(
      ({ place }) =>
        place.kind === 'file' &&
        place.name.startsWith('/') &&
        !HARMLESS.test(place.name) &&
        !place.name.startsWith('/*'),
    )
    .map(({ token, place }) => ({ cell: token.cell, line: token.use.span.line, path: place.name }))
  const all = [...literals, ...used.filter(({ path }) => !literals.some((literal) => literal.path === path))]
  return [...groupBy(all, ({ path }) => path).values()].flatMap(([first]) =>
    first === undefined ? [] : [machinePath(context, first)],
  )
}

function machinePath(
  context: AuditContext,
  { cell, line, path }: { cell: number; line: number; path: string },
): Finding {
  const source = context.document.cells[cell]?.source ?? ''
  const text = source.split('\n')[line - 1] ?? ''
  const found = sameName(context.files, path)
  const relative =
    found === null || context.files === null
      ? null
      : posix.relative(context.files.notebookFolder === '' ? '.' : context.files.notebookFolder, found)
  const inProject = found === null ? '' : ` The project has ${found}.`
  return finding('N20', {
    cell,
    line,
    message: `\`${shorten(path, 120)}\` exists on one machine only.${inProject}`,
    evidence: text.trim(),
    fix:
      relative === null || !text.includes(path)
        ? null
        : { kind: 'automatic', diff: lineDiff(cell, source, line, text.replace(path, relative)) },
  })
}

/** The one file of the project that has the path's name. */
function sameName(files: AuditFiles | null, path: string): string | null {
  if (files === null) return null
  const name = path.replaceAll('\\', '/').split('/').at(-1) ?? ''
  if (name === '' || !name.includes('.')) return null
  const found = files.paths.filter((candidate) => posix.basename(candidate) === name)
  return found.length === 1 ? (found[0] ?? null) : null
}

function missingFiles(context: AuditContext): readonly Finding[] {
  const { files } = context
  if (files === null) return []
  const tokens = tokensOf(context)
  const written = tokens.filter(({ use }) => use.mode === 'write').map(({ use }) => tokenParts(use.token))
  const anyWrite = written.some(({ kind, name }) => (kind === 'file' && name === '?') || kind === 'shell')
  const moves = tokens.some(({ use }) => use.token === 'cfg:cwd' && use.mode === 'write')
  const reads = tokens.filter(
    ({ use }) =>
      use.mode === 'read' &&
      use.token.startsWith('file:') &&
      !ASKS.test(use.why) &&
      !/listdir|scandir|walk|glob|connect$/.test(use.why),
  )
  return [...groupBy(reads, ({ use }) => use.token).values()].flatMap(([first]) => {
    if (first === undefined) return []
    const { name } = tokenParts(first.use.token)
    if (!isPlainFile(name) || written.some((other) => other.kind === 'file' && samePath(other.name, name))) return []
    if (exists(files, name, moves) || (anyWrite && !posix.isAbsolute(name))) return []
    const near = sameName(files, name)
    return [
      finding('N21', {
        cell: first.cell,
        line: first.use.span.line,
        message: `\`${shorten(name, 120)}\` is read here, but it is not in the project${near === null ? '' : `; ${near} has the same name`}. Name it with \`--source\`.`,
        evidence: lineText(context, first.cell, first.use.span),
      }),
    ]
  })
}

function isPlainFile(name: string): boolean {
  return (
    name !== '' &&
    name !== '?' &&
    name !== '.' &&
    !/[*?[\]{}\n]/.test(name) &&
    name !== ':memory:' &&
    !HARMLESS.test(name)
  )
}

function samePath(a: string, b: string): boolean {
  return posix.normalize(a) === posix.normalize(b)
}

function exists(files: AuditFiles, name: string, anywhere: boolean): boolean {
  const path = name.replaceAll('\\', '/')
  if (posix.isAbsolute(path) || /^[A-Za-z]:/.test(path)) return sameName(files, path) !== null
  const candidates = [posix.normalize(posix.join(files.notebookFolder, path)), posix.normalize(path)]
  const isThere = (candidate: string): boolean =>
    files.paths.some((known) => known === candidate || known.startsWith(`${candidate}/`))
  if (candidates.some(isThere)) return true
  // Outside what was listed: nothing can be said.
  if (candidates.every((candidate) => candidate.startsWith('../'))) return true
  return anywhere && files.paths.some((known) => known.endsWith(`/${posix.normalize(path)}`))
}

function filesBetweenCells(context: AuditContext): readonly Finding[] {
  const tokens = tokensOf(context).filter(
    ({ use }) => use.token.startsWith('file:') && isPlainFile(tokenParts(use.token).name) && !ASKS.test(use.why),
  )
  return [...groupBy(tokens, ({ use }) => posix.normalize(tokenParts(use.token).name))].flatMap(([name, uses]) =>
    fileFindings(context, name, uses),
  )
}

function fileFindings(context: AuditContext, name: string, uses: readonly PlacedToken[]): readonly Finding[] {
  const findings: Finding[] = []
  const write = uses.find(({ use }) => use.mode === 'write')
  if (write === undefined) return []
  const reader = uses.find(({ use, cell, order }) => use.mode === 'read' && cell !== write.cell && order > write.order)
  if (reader !== undefined) {
    findings.push(
      finding('N22', {
        cell: reader.cell,
        line: reader.use.span.line,
        message: `\`${shorten(name, 120)}\` is written in cell ${write.cell} and read here: the order of the two cells matters, and no variable shows it.`,
        evidence: lineText(context, reader.cell, reader.use.span),
      }),
    )
  }
  const earlier = uses.find(({ use, order }) => use.mode === 'read' && order < write.order)
  const others = uses.filter(({ use, cell }) => use.mode === 'write' && cell !== write.cell)
  const overwritten = earlier === undefined ? others[0] : write
  if (overwritten !== undefined) {
    const why =
      earlier === undefined
        ? `cell ${write.cell} writes it too`
        : `cell ${earlier.cell} reads it: a second run starts from other data`
    findings.push(
      finding('N23', {
        cell: overwritten.cell,
        line: overwritten.use.span.line,
        message: `\`${shorten(name, 120)}\` is overwritten here, and ${why}.`,
        evidence: lineText(context, overwritten.cell, overwritten.use.span),
      }),
    )
  }
  return findings
}

function tablesBetweenCells(context: AuditContext): readonly Finding[] {
  const tokens = tokensOf(context).filter(({ use }) => use.token.startsWith('table:') && use.token !== 'table:?')
  return [...groupBy(tokens, ({ use }) => use.token.toLowerCase()).values()].flatMap((uses) => {
    const write = uses.find(({ use }) => use.mode === 'write')
    const reader =
      write === undefined
        ? undefined
        : uses.find(({ use, cell, order }) => use.mode === 'read' && cell !== write.cell && order > write.order)
    if (write === undefined || reader === undefined) return []
    return [
      finding('N24', {
        cell: reader.cell,
        line: reader.use.span.line,
        message: `Table \`${tokenParts(write.use.token).name}\` is written in cell ${write.cell} and read here: the order of the two cells matters, and no variable shows it.`,
        evidence: lineText(context, reader.cell, reader.use.span),
      }),
    ]
  })
}

function networkReads(context: AuditContext): readonly Finding[] {
  const reads = tokensOf(context).filter(
    ({ use, statement }) =>
      use.token.startsWith('net:') && use.mode === 'read' && !isInstall(statement.facts.tokens.map(({ why }) => why)),
  )
  return [...groupBy(reads, ({ use }) => use.token).values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const host = tokenParts(first.use.token).name
    const where = host === '?' ? 'the network' : `\`${host}\``
    return [
      finding('N25', {
        cell: first.cell,
        line: first.use.span.line,
        message: `Data comes from ${where} (${cellsListed(group.map(({ cell }) => cell))}): it may change or vanish between two runs.`,
        evidence: lineText(context, first.cell, first.use.span),
      }),
    ]
  })
}

function isInstall(whys: readonly string[]): boolean {
  return whys.some((why) => /^(pip3?|conda|mamba|uv|apt|apt-get|npm)\b/.test(why))
}
