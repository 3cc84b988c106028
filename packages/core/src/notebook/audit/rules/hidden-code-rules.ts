/** N14, N15, N16, N55: code that is hidden from reading, magics, shell commands. */
import type { Finding } from '../../finding.ts'
import type { Magic } from '../../ir.ts'
import { finding, lineText, shorten, type AuditContext, type Rule } from '../audit-context.ts'
import { cellDiff, withLines } from '../cell-diff.ts'

export const hiddenCodeRules: readonly Rule[] = [
  { codes: ['N14'], needs: 'facts', find: dynamicCode },
  { codes: ['N15', 'N16'], needs: 'facts', find: magics },
  { codes: ['N55'], needs: 'facts', find: codeFromInput },
]

const DYNAMIC: Readonly<Record<string, string>> = {
  exec: '`exec` runs text as code: what it defines cannot be seen',
  eval: '`eval` computes text as code: what it reads cannot be seen',
  compile: '`compile` makes code from text',
  globals: '`globals()` reaches every name at once',
  locals: '`locals()` reaches every name at once',
  vars: '`vars()` reaches every name at once',
  'setattr-module': 'it changes a library for everybody (monkeypatch)',
  __import__: '`__import__` loads a module by a computed name',
  importlib: '`importlib` loads or reloads a module by name',
  get_ipython: '`get_ipython()` works in IPython only',
  run: '`%run` brings in the code and all names of another file',
  store: '`%store` keeps values outside the notebook',
  reset: '`%reset` deletes names',
  inspect: '`inspect` reads the source text of functions, which is written elsewhere after conversion',
  frames: 'it reaches into the frames of callers',
  __file__: '`__file__` does not exist in a notebook',
  'language:R': 'R code runs in another process and exchanges names with this one',
  'language:julia': 'Julia code runs in another process and exchanges names with this one',
}

function dynamicCode(context: AuditContext): readonly Finding[] {
  return context.statements.flatMap((statement) =>
    statement.facts.dynamic.flatMap((kind) => {
      const what =
        DYNAMIC[kind] ?? (kind.startsWith('magic:') ? `\`%${kind.slice(6)}\` is unknown, and so is what it does` : null)
      if (what === null) return []
      return [
        finding('N14', {
          cell: statement.cell,
          line: statement.facts.span.line,
          message: `${what.startsWith('`') ? '' : 'Here '}${what}.`,
          evidence: lineText(context, statement.cell, statement.facts.span),
        }),
      ]
    }),
  )
}

/** Commands that only show something. */
const SHOWS =
  /^(ls|ll|pwd|cat|head|tail|echo|which|nvidia-smi|date|wc|du|df|free|uname|lscpu|python|python3|whoami|file|tree|java|node|gcc)$/
const DROPPED =
  /^(matplotlib|config|autosave|autoreload|load_ext|reload_ext|pylab|xmode|pdb|precision|who|whos|who_ls|lsmagic|pwd|ls|ll|watermark|notebook|quickref|pinfo|pinfo2|html|HTML)$/
const KEEPS_BODY = /^(time|timeit|capture|prun|memit|lprun|mprun|snakeviz|debug)$/
const INSTALLS = /^(pip|pip3|conda|mamba|uv|apt|apt-get|npm|brew)$/
const DOWNLOADS = /^(wget|curl|gdown|kaggle|git|aws|gsutil)$/

function magics(context: AuditContext): readonly Finding[] {
  return [...context.cellFacts].flatMap(([cell, facts]) =>
    facts.magics.flatMap((magic) => magicFinding(context, cell, magic)),
  )
}

function magicFinding(context: AuditContext, cell: number, magic: Magic): readonly Finding[] {
  const evidence = (context.document.cells[cell]?.source.split('\n')[magic.span.line - 1] ?? '').trim()
  const place = { cell, line: magic.span.line, evidence }
  const command = magic.name === 'bash' || magic.name === 'sh' ? (magic.body ?? '').trim().split(/\s+/)[0] : magic.name
  const isShell = magic.kind === 'shell' || /^(bash|sh|script|system|sx)$/.test(magic.name)
  if (isShell || (magic.kind === 'line' && INSTALLS.test(magic.name))) {
    if (SHOWS.test(command ?? '') && magic.assignedTo === null && !/>|\|\s*tee/.test(magic.argument)) {
      return [
        finding('N15', {
          ...place,
          message: `\`!${command}\` only shows something; it works where a shell is. It is dropped in conversion.`,
          fix: dropped(context, cell, magic),
        }),
      ]
    }
    return [
      finding('N16', {
        ...place,
        message: shellMessage(command ?? '', magic),
        fix: INSTALLS.test(command ?? '') ? dropped(context, cell, magic) : null,
      }),
    ]
  }
  if (magic.kind === 'help')
    return [
      finding('N15', {
        ...place,
        message: 'It asks for help in IPython; it is dropped in conversion.',
        fix: dropped(context, cell, magic),
      }),
    ]
  return [
    finding('N15', {
      ...place,
      message: magicMessage(magic),
      fix: DROPPED.test(magic.name) ? dropped(context, cell, magic) : null,
    }),
  ]
}

function shellMessage(command: string, magic: Magic): string {
  const taken = magic.assignedTo === null ? '' : ` Its output becomes \`${magic.assignedTo}\`.`
  if (INSTALLS.test(command))
    return `\`${command}\` changes the installed packages while the notebook runs: it becomes a locked dependency.`
  if (DOWNLOADS.test(command))
    return `\`${command}\` fetches data from outside: it becomes a source with a content hash.${taken}`
  return `A shell command with an effect that cannot be seen from Python.${taken}`
}

function magicMessage(magic: Magic): string {
  const sign = magic.kind === 'cell' ? '%%' : '%'
  if (DROPPED.test(magic.name))
    return `\`${sign}${magic.name}\` means something in IPython only; it is dropped in conversion.`
  if (KEEPS_BODY.test(magic.name)) return `\`${sign}${magic.name}\` measures or captures; the code under it is kept.`
  if (magic.name === 'sql')
    return `\`${sign}sql\` works in IPython only; \`duckdb.sql("...").df()\` in its place becomes a SQL asset.`
  if (magic.name === 'writefile' || magic.name === 'file')
    return `\`%%${magic.name}\` writes the cell to \`${shorten(magic.argument, 60)}\`: it becomes a file.`
  if (magic.name === 'env' || magic.name === 'set_env' || magic.name === 'cd')
    return `\`%${magic.name}\` changes the process for all cells below; it becomes part of the setup.`
  return `\`${sign}${magic.name}\` works in IPython only.`
}

function dropped(context: AuditContext, cell: number, magic: Magic): Finding['fix'] {
  const source = context.document.cells[cell]?.source ?? ''
  if (magic.kind === 'cell' || magic.assignedTo !== null) return null
  return { kind: 'automatic', diff: cellDiff(cell, source, withLines(source, magic.span.line, magic.span.endLine, [])) }
}

function codeFromInput(context: AuditContext): readonly Finding[] {
  return context.statements.flatMap((statement) =>
    statement.facts.habits
      .filter(({ kind }) => kind === 'code-from-input')
      .map(({ span }) =>
        finding('N55', {
          cell: statement.cell,
          line: span.line,
          message:
            'Text from outside is run as code: whoever writes it decides what happens here. Use `ast.literal_eval` or `json.loads`.',
          evidence: lineText(context, statement.cell, span),
        }),
      ),
  )
}
