/** N40, N42, N43, N44, N47, N49: cells that do not parse, size, shape, languages, widgets. */
import type { NotebookCell } from '../../document.ts'
import type { Finding } from '../../finding.ts'
import { cellsListed, finding, type AuditContext, type Rule } from '../audit-context.ts'

export const formRules: readonly Rule[] = [
  { codes: ['N40', 'N49'], needs: 'facts', find: unreadableCells },
  { codes: ['N42'], needs: 'file', find: shape },
  { codes: ['N43'], needs: 'file', find: size },
  { codes: ['N44'], needs: 'file', find: languages },
  { codes: ['N47'], needs: 'file', find: widgets },
]

const LONG_CELL = 100
const MANY_CELLS = 12
const MEBIBYTE = 1024 * 1024

function unreadableCells(context: AuditContext): readonly Finding[] {
  return [...context.cellFacts].flatMap(([cell, { syntaxError }]) => {
    if (syntaxError === null) return []
    const text = context.document.cells[cell]?.source.split('\n')[syntaxError.line - 1]?.trim() ?? ''
    return [
      finding(syntaxError.python2 ? 'N40' : 'N49', {
        cell,
        line: syntaxError.line,
        message: syntaxError.python2
          ? 'This is Python 2: Python 3 cannot read the cell.'
          : `The cell is not valid Python: ${syntaxError.message}.`,
        evidence: text,
      }),
    ]
  })
}

function shape(context: AuditContext): readonly Finding[] {
  const code = context.codeCells.filter((cell) => cell.source.trim() !== '')
  const long = code.filter((cell) => cell.source.split('\n').length > LONG_CELL)
  const headings = context.document.cells.some(
    (cell) => cell.type === 'markdown' && /^\s{0,3}(#{1,6}\s|<h[1-6])/m.test(cell.source),
  )
  const findings = long.map((cell) =>
    finding('N42', {
      cell: cell.index,
      message: `The cell has ${cell.source.split('\n').length} lines: steps are easier to name, test and reuse when they are short.`,
      evidence: `${cell.source.split('\n').length} lines`,
    }),
  )
  if (code.length < MANY_CELLS || headings) return findings
  return [
    ...findings,
    finding('N42', {
      cell: null,
      message: `${code.length} code cells and not one heading: nothing says what the parts are.`,
      evidence: `${code.length} code cells`,
    }),
  ]
}

function size(context: AuditContext): readonly Finding[] {
  const findings: Finding[] = []
  const { sizeBytes } = context.document
  if (sizeBytes > 5 * MEBIBYTE) {
    findings.push(
      finding('N43', {
        cell: null,
        message: `The file has ${(sizeBytes / MEBIBYTE).toFixed(1)} MB: it is slow to open, to compare and to keep in version control.`,
        evidence: `${sizeBytes} bytes`,
      }),
    )
  }
  for (const cell of context.codeCells) {
    const output = outputCharacters(cell)
    if (output > 2 * MEBIBYTE) {
      findings.push(
        finding('N43', {
          cell: cell.index,
          message: `The saved output has ${(output / MEBIBYTE).toFixed(1)} MB.`,
          evidence: `${output} characters`,
        }),
      )
    }
    if (cell.source.length > 100_000) {
      findings.push(
        finding('N43', {
          cell: cell.index,
          message: `The cell has ${Math.round(cell.source.length / 1000)} kB of text: data belongs in a file.`,
          evidence: `${cell.source.length} characters`,
        }),
      )
    }
  }
  return findings
}

function outputCharacters(cell: NotebookCell): number {
  return cell.outputs.reduce((sum, output) => {
    const length = Object.values(output.data).reduce(
      (total: number, value) => total + (typeof value === 'string' ? value.length : 0),
      0,
    )
    return sum + (output.characters ?? length)
  }, 0)
}

/** Cell magics whose body is another language. */
const OTHER =
  /^\s*%%(bash|sh|script|R|javascript|js|perl|ruby|julia|latex|html|HTML|svg|sql|cython|writefile|python2|pypy|cmd|bigquery|octave|matlab|spark|scala)\b/

function languages(context: AuditContext): readonly Finding[] {
  const findings: Finding[] = []
  const { savedLanguage, language, kernelName } = context.document
  if (savedLanguage !== undefined) {
    findings.push(
      finding('N44', {
        cell: null,
        message: `The kernel named is ${kernelName ?? language}, but the notebook was saved by a ${savedLanguage} kernel.`,
        evidence: `${language} and ${savedLanguage}`,
      }),
    )
  }
  const mixed = context.codeCells.flatMap((cell) => {
    const name = OTHER.exec(cell.source)?.[1]
    return name === undefined || /^(html|HTML|svg|latex|writefile)$/.test(name) ? [] : [{ cell, name }]
  })
  const first = mixed[0]
  if (first !== undefined) {
    const names = [...new Set(mixed.map(({ name }) => name))]
    findings.push(
      finding('N44', {
        cell: first.cell.index,
        line: 1,
        message: `Cells in other languages (${names.join(', ')}) are mixed in: each becomes a step of its own.`,
        evidence: cellsListed(mixed.map(({ cell }) => cell.index)),
      }),
    )
  }
  return findings
}

function widgets(context: AuditContext): readonly Finding[] {
  return context.codeCells.flatMap((cell) => {
    const shown = cell.outputs.some((output) => 'application/vnd.jupyter.widget-view+json' in output.data)
    const progressOnly = shown && !/widgets?\b|interact/.test(cell.source)
    const line = cell.source
      .split('\n')
      .findIndex((text) =>
        /^\s*(from|import)\s+ipywidgets\b|@interact\b|\binteract(ive|_manual|ive_output)?\(/.test(text),
      )
    if (line < 0 && (!shown || progressOnly)) return []
    return [
      finding('N47', {
        cell: cell.index,
        line: line < 0 ? null : line + 1,
        message:
          'Widgets hold values that somebody chose by hand; they are frozen at their defaults or become parameters.',
        evidence: line < 0 ? 'a widget in the output' : (cell.source.split('\n')[line]?.trim() ?? ''),
      }),
    ]
  })
}
