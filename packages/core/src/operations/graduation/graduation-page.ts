/**
 * The graduation report: one HTML file without scripts or network. A checklist first, then the notebook's cells beside
 * the functions they became, what crosses each boundary, every repair as a diff, and the proof with its evidence.
 */
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import type { GraduatedStep } from '../../notebook/graduation.ts'
import type { Proof } from '../../notebook/prove/proof.ts'
import { escapeHtml, pagePolicy } from '../html.ts'
import { graduationStyle } from './graduation-style.ts'
import type { WriteRequest } from './write-graduation.ts'

export async function graduationPage(request: WriteRequest): Promise<string> {
  const { graduation, verdict } = request
  const title = `${graduation.notebook.path}: ${verdict}`
  const parts = [
    checklist(request),
    repairs(request),
    await sideBySide(request),
    boundaries(request),
    proofTables(request.proof),
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">${pagePolicy}
<title>${escapeHtml(title)}</title><style>${graduationStyle}</style></head>
<body><header><h1>${escapeHtml(graduation.notebook.path)}</h1><p class="verdict ${escapeHtml(verdict)}">${escapeHtml(headline(request))}</p></header>
<main>${parts.filter((part) => part !== '').join('\n')}</main></body></html>
`
}

function headline(request: WriteRequest): string {
  const { graduation, verdict } = request
  const assets = graduation.steps.flatMap((step) => step.outputs).length
  const repaired =
    graduation.repairs.length === 0 ? '' : ` against the notebook with ${graduation.repairs.length} repairs`
  const words = { proven: 'proven', 'not-proven': 'not proven', unproven: 'not proven yet' } as Readonly<
    Record<string, string>
  >
  return `${words[verdict] ?? verdict}${repaired}: ${graduation.cut.cells} cells became ${assets} assets in ${graduation.cut.steps} steps`
}

function checklist(request: WriteRequest): string {
  const { graduation, proof, problems } = request
  const items: [string, string][] = [
    ['ok', `order: ${graduation.order}`],
    [graduation.repairs.length === 0 ? 'ok' : 'note', `${graduation.repairs.length} repairs, each below`],
    [
      graduation.cut.largestShare > 0.5 ? 'note' : 'ok',
      `largest step holds ${Math.round(graduation.cut.largestShare * 100)}% of the cells`,
    ],
  ]
  for (const merge of graduation.cut.merges)
    items.push(['note', `cells ${merge.cells.join(', ')} stay together: ${merge.why}`])
  if (proof !== null) {
    items.push(['ok', `stored outputs reproduced: ${proof.storedOutputs.same} of ${proof.storedOutputs.total}`])
    const equal = proof.values.filter((value) => value.verdict === 'equal').length
    items.push([equal === proof.values.length ? 'ok' : 'bad', `${equal} of ${proof.values.length} values equal`])
    const shown = proof.outputs.filter((output) => output.verdict === 'equal').length
    items.push([shown === proof.outputs.length ? 'ok' : 'bad', `${shown} of ${proof.outputs.length} outputs equal`])
    const { made, caught, equivalent, perturbed, untestedSteps } = proof.mutants
    items.push([
      'ok',
      `mutants: ${made} made, ${caught} caught, ${equivalent} equivalent; ${perturbed} perturbed values seen`,
    ])
    if (untestedSteps.length > 0) items.push(['note', `no mutant told for ${untestedSteps.join(', ')}`])
    items.push([
      'ok',
      proof.runs
        .map((run) => `${run.name} ${run.state === 'skipped' ? 'skipped' : `${(run.ms / 1000).toFixed(1)} s`}`)
        .join(', '),
    ])
  }
  for (const problem of problems) items.push(['bad', problem])
  for (const { cell, message } of graduation.notes ?? [])
    items.push(['note', `${cell === null ? '' : `cell ${cell}: `}${message}`])
  for (const assumption of graduation.assumptions) items.push(['note', `assumed: ${assumption}`])
  return `<section><h2>In short</h2><ul class="checks">${items.map(([state, text]) => `<li class="${state}">${escapeHtml(text)}</li>`).join('')}</ul></section>`
}

function repairs(request: WriteRequest): string {
  const { repairs: made } = request.graduation
  if (made.length === 0) return ''
  const parts = made.map(
    (repair) =>
      `<details open><summary><b>${escapeHtml(repair.code)}</b> ${escapeHtml(repair.message)} <span class="dim">confirmed by ${escapeHtml(repair.confirmedBy ?? 'nothing')}</span></summary><pre>${diffHtml(repair.diff)}</pre></details>`,
  )
  return `<section><h2>Repairs</h2>${parts.join('')}</section>`
}

function diffHtml(diff: string): string {
  return diff
    .split('\n')
    .map((line) => {
      const kind = line.startsWith('+') ? 'plus' : line.startsWith('-') ? 'minus' : ''
      return `<span class="${kind}">${escapeHtml(line)}</span>`
    })
    .join('\n')
}

async function sideBySide(request: WriteRequest): Promise<string> {
  const { graduation } = request
  const text = new Map(graduation.files.map((file) => [file.path, file.text.split('\n')]))
  const rows: string[] = []
  for (const step of graduation.steps) {
    const lines = text.get(step.file) ?? []
    const cells = step.cells.map(
      (cell) =>
        `<div class="cell"><span class="dim">cell ${cell}</span><pre>${escapeHtml(cellLines(request, step, cell))}</pre></div>`,
    )
    const code = functionText(lines, step)
    rows.push(
      `<div class="band"><div>${cells.join('')}</div><div><h3>${escapeHtml(step.name)} <span class="dim">${escapeHtml(step.kind)}, ${escapeHtml(step.file)}:${step.line}</span></h3><pre>${escapeHtml(code)}</pre>${await figures(request, step)}</div></div>`,
    )
  }
  return `<section><h2>Notebook and pipeline</h2>${rows.join('\n')}</section>`
}

/** The lines of a cell that this step was written from, as they stand in the file. */
function cellLines(request: WriteRequest, step: GraduatedStep, cell: number): string {
  const lines = request.graduation.lines.filter((line) => line.cell === cell && line.file === step.file)
  const text = request.graduation.files.find((file) => file.path === step.file)?.text.split('\n') ?? []
  const end = endOf(text, step)
  return lines
    .filter(({ line }) => line >= step.line && line < end)
    .map(({ line }) => (text[line - 1] ?? '').replace(/^ {4}/, ''))
    .join('\n')
}

function functionText(lines: readonly string[], step: GraduatedStep): string {
  const from = Math.max(0, step.line - 2)
  const start = lines[from]?.startsWith('@') === true ? from : step.line - 1
  return lines
    .slice(start, endOf(lines, step) - 1)
    .join('\n')
    .trimEnd()
}

/** 1-based line after the function. */
function endOf(lines: readonly string[], step: GraduatedStep): number {
  let line = step.line + 1
  while (line <= lines.length && /^(?:\s|\)|$)/.test(lines[line - 1] ?? '')) line++
  return line
}

async function figures(request: WriteRequest, step: GraduatedStep): Promise<string> {
  const stored = request.pipeline?.assets.get(step.name)
  if (stored === undefined || stored.kind !== 'report') return ''
  const names = (await readdir(stored.folder)).filter((name) => name.endsWith('.png')).sort()
  const images = await Promise.all(
    names.map(
      async (name) =>
        `<img alt="${escapeHtml(`${step.name} ${name}`)}" src="data:image/png;base64,${(await readFile(path.join(stored.folder, name))).toString('base64')}">`,
    ),
  )
  return images.join('')
}

function boundaries(request: WriteRequest): string {
  const rows = request.graduation.steps.flatMap((step) =>
    step.outputs
      .filter(({ kind }) => kind !== 'report')
      .map((output) => {
        const readers = request.graduation.steps
          .filter((reader) => reader.inputs.some(({ asset }) => asset === output.asset))
          .map(({ name }) => name)
        return [output.asset, output.kind, output.variables.join(', '), step.name, readers.join(', ')]
      }),
  )
  return `<section><h2>What crosses the boundaries</h2>${table(['asset', 'kind', 'variable', 'made by', 'read by'], rows)}</section>`
}

function proofTables(proof: Proof | null): string {
  if (proof === null) return ''
  const values = proof.values.map((value) => [
    value.verdict,
    value.variable,
    value.asset ?? value.within ?? '',
    String(value.cell),
    value.kind,
    value.level,
    value.cause ?? value.rule,
    value.evidence,
  ])
  const outputs = proof.outputs.map((output) => [output.verdict, String(output.cell), output.kind, output.evidence])
  const exclusions = proof.exclusions.map(({ what, why }) => [what, why])
  return `<section><h2>The proof</h2><h3>Values alive at the end, and those that assets hold</h3>${table(['verdict', 'variable', 'asset or step', 'cell', 'type', 'level', 'how', 'evidence'], values)}
<h3>Outputs of cells</h3>${table(['verdict', 'cell', 'kind', 'first line'], outputs)}
${exclusions.length === 0 ? '' : `<h3>Left out of comparisons</h3>${table(['what', 'why'], exclusions)}`}</section>`
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = columns.map((column) => `<th>${escapeHtml(column)}</th>`).join('')
  const body = rows.map(
    (row) =>
      `<tr class="${escapeHtml(row[0] ?? '')}">${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`,
  )
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`
}
