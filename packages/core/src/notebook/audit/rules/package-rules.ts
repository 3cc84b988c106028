/** N17, N18, N19: packages without versions, names that newer versions removed, modules beside the notebook. */
import type { Finding } from '../../finding.ts'
import type { ImportFact } from '../../ir.ts'
import {
  finding,
  groupBy,
  lineText,
  listed,
  type AuditContext,
  type PlacedStatement,
  type Rule,
} from '../audit-context.ts'

export const packageRules: readonly Rule[] = [
  { codes: ['N17'], needs: 'facts', find: undeclared },
  { codes: ['N18'], needs: 'facts', find: outdated },
  { codes: ['N19'], needs: 'facts', find: localModules },
]

/** Import name to distribution, where they differ and no environment is there to ask. */
const DISTRIBUTIONS: Readonly<Record<string, string>> = {
  sklearn: 'scikit-learn',
  skimage: 'scikit-image',
  cv2: 'opencv-python',
  PIL: 'pillow',
  yaml: 'pyyaml',
  bs4: 'beautifulsoup4',
  dateutil: 'python-dateutil',
  dotenv: 'python-dotenv',
  Crypto: 'pycryptodome',
  serial: 'pyserial',
  mpl_toolkits: 'matplotlib',
  pylab: 'matplotlib',
  psycopg2: 'psycopg2-binary',
  docx: 'python-docx',
  fitz: 'pymupdf',
  umap: 'umap-learn',
  attr: 'attrs',
  git: 'gitpython',
  IPython: 'ipython',
  imblearn: 'imbalanced-learn',
  MySQLdb: 'mysqlclient',
  OpenSSL: 'pyopenssl',
  tables: 'tables',
  graphviz: 'graphviz',
}

export interface PlacedImport {
  readonly statement: PlacedStatement
  readonly fact: ImportFact
}

export function importsOf(context: AuditContext): readonly PlacedImport[] {
  return context.statements.flatMap((statement) => {
    const late = statement.facts.definitions.flatMap(({ lateImports }) => lateImports)
    return [...statement.facts.imports, ...late].map((fact) => ({ statement, fact }))
  })
}

export function isLocal(context: AuditContext, { origin, module }: ImportFact): boolean {
  return origin === 'local' || module.startsWith('.') || localFileOf(context, module) !== null
}

function localFileOf(context: AuditContext, module: string): string | null {
  if (context.files === null) return null
  const path = module.replace(/^\.+/, '').replaceAll('.', '/')
  const folders = [context.files.notebookFolder, ''].map((folder) => (folder === '' ? '' : `${folder}/`))
  const candidates = folders.flatMap((folder) => [
    `${folder}${path}.py`,
    `${folder}${path}/__init__.py`,
    `${folder}${path.split('/')[0] ?? ''}.py`,
    `${folder}${path.split('/')[0] ?? ''}/__init__.py`,
  ])
  const known = new Set(context.files.paths)
  return candidates.find((candidate) => known.has(candidate)) ?? null
}

export function distributionOf({ module, origin }: ImportFact): string {
  const top = module.split('.')[0] ?? module
  return origin ?? DISTRIBUTIONS[top] ?? top
}

function normalised(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, '-')
}

/** Names that a requirements file, lock, pyproject or environment file holds, as words at the start of an item. */
function declaredNames(context: AuditContext): ReadonlySet<string> {
  const texts = Object.values(context.files?.requirements ?? {})
  const names = texts.flatMap((text) =>
    [...text.matchAll(/(?:^|["'\s\-,[])([A-Za-z0-9][A-Za-z0-9._-]*)/gm)].map((match) => normalised(match[1] ?? '')),
  )
  return new Set(names)
}

function undeclared(context: AuditContext): readonly Finding[] {
  const declared = declaredNames(context)
  const missing = importsOf(context).filter(({ fact }) => {
    if (fact.origin === 'stdlib' || isLocal(context, fact)) return false
    return !declared.has(normalised(distributionOf(fact)))
  })
  const names = [...new Set(missing.map(({ fact }) => distributionOf(fact)))]
  const first = missing[0]
  if (first === undefined) return []
  const file = Object.keys(context.files?.requirements ?? {})[0]
  return [
    finding('N17', {
      cell: first.statement.cell,
      line: first.statement.facts.span.line,
      message: `Nothing says which ${names.length === 1 ? 'version' : 'versions'} of ${listed(names)} this notebook needs${file === undefined ? '' : ` (not in ${file})`}: with others it may stop or compute something else.`,
      evidence: names.join(', '),
      fix: {
        kind: 'automatic',
        diff: `--- requirements.txt\n+++ requirements.txt\n@@ -0,0 +1,${names.length} @@\n${names.map((name) => `+${name}\n`).join('')}`,
      },
    }),
  ]
}

function outdated(context: AuditContext): readonly Finding[] {
  const uses = context.statements.flatMap((statement) => statement.facts.outdated.map((use) => ({ statement, use })))
  return [...groupBy(uses, ({ use }) => use.name).values()].flatMap((group) => {
    const first = group[0]
    if (first === undefined) return []
    const { statement, use } = first
    const more = group.length === 1 ? '' : ` (${group.length} places)`
    return [
      finding('N18', {
        cell: statement.cell,
        line: use.span.line,
        message: `\`${use.name}\`: ${use.advice}${more}.`,
        evidence: lineText(context, statement.cell, use.span),
      }),
    ]
  })
}

function localModules(context: AuditContext): readonly Finding[] {
  const local = importsOf(context).filter(({ fact }) => isLocal(context, fact))
  return [...groupBy(local, ({ fact }) => fact.module).values()].flatMap(([first]) => {
    if (first === undefined) return []
    const { statement, fact } = first
    const file = localFileOf(context, fact.module)
    return [
      finding('N19', {
        cell: statement.cell,
        line: statement.facts.span.line,
        message: `\`${fact.module}\` is a module of this project${file === null ? '' : ` (${file})`}: the notebook does not run without it, and its code is part of the result.`,
        evidence: lineText(context, statement.cell, statement.facts.span),
      }),
    ]
  })
}
