/** What a case hands back, and its Markdown: one row for each thing that was measured against a floor or an ideal. */

export interface Timing {
  readonly what: string
  readonly floor: string
  readonly floorMs: number
  readonly oursMs: number
  readonly ratio: number
  readonly overMs: number
  /** Processor time of floor and ours, all their processes together. */
  readonly cpuMs: readonly [number, number] | null
  readonly noise: number
  readonly times: number
  /** As ARCHITECTURE states it: `+60 ms`, `1.3x`; '' where there is none. */
  readonly target: string
  readonly memoryBytes?: number
}

export interface Recompute {
  readonly edit: string
  readonly ideal: number
  readonly ran: number
  /** Every published result equals that of a rebuild in an empty state. */
  readonly fresh: boolean
}

export interface Section {
  readonly timings?: readonly Timing[]
  readonly recomputes?: readonly Recompute[]
  readonly notes: readonly string[]
}

export interface BenchCase {
  readonly name: string
  readonly title: string
  /** Too long for a run of all. */
  readonly onlyNamed?: boolean
  run(): Promise<Section>
}

export function sectionText(section: Section): string {
  const parts = [
    timingTable(section.timings ?? []),
    recomputeTable(section.recomputes ?? []),
    section.notes.map((note) => `- ${note}`).join('\n'),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function timingTable(rows: readonly Timing[]): string {
  if (rows.length === 0) return ''
  const withMemory = rows.some((row) => row.memoryBytes !== undefined)
  const head = [
    'what',
    'floor',
    'floor',
    'Cellmill',
    'ratio',
    'over',
    'noise',
    'CPU',
    'CPU ratio',
    'CPU over',
    'pairs',
    'target',
  ]
  return table(
    withMemory ? [...head, 'peak memory'] : head,
    rows.map((row) => [
      row.what,
      row.floor,
      duration(row.floorMs),
      duration(row.oursMs),
      `**${row.ratio.toFixed(2)}x**`,
      signed(row.overMs),
      `±${Math.round(row.noise * 100)}%`,
      ...cpuCells(row.cpuMs),
      String(row.times),
      row.target,
      ...(withMemory ? [row.memoryBytes === undefined ? '' : megabytes(row.memoryBytes)] : []),
    ]),
  )
}

function cpuCells(cpuMs: Timing['cpuMs']): readonly string[] {
  if (cpuMs === null) return ['', '', '']
  const [floor, ours] = cpuMs
  return [`${duration(floor)} / ${duration(ours)}`, `**${(ours / floor).toFixed(2)}x**`, `**${signed(ours - floor)}**`]
}

function signed(ms: number): string {
  return `${ms < 0 ? '-' : '+'}${duration(Math.abs(ms))}`
}

function recomputeTable(rows: readonly Recompute[]): string {
  if (rows.length === 0) return ''
  const text = rows.map(({ edit, ideal, ran, fresh }) => [
    edit,
    String(ideal),
    String(ran),
    fresh ? 'equals' : '**STALE**',
  ])
  return table(['edit', 'ideal', 're-run', 'answer against a rebuild from nothing'], text)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

export function duration(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}
