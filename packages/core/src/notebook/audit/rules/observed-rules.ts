/** N05, N34, N45: what only a run can show. */
import type { Finding } from '../../finding.ts'
import type { Observation, ObservedCell } from '../../observation.ts'
import { finding, listed, shorten, type AuditContext, type Rule } from '../audit-context.ts'

export const observedRules: readonly Rule[] = [
  { codes: ['N05'], needs: 'observation', find: staleOutputs },
  { codes: ['N34'], needs: 'observation', find: classesOfTheNotebook },
  { codes: ['N45'], needs: 'observation', find: slowCells },
]

const SLOW_MS = 10_000

function cellsOf(context: AuditContext): readonly ObservedCell[] {
  const observation: Observation | null = context.observation
  return observation === null ? [] : observation.cells
}

function staleOutputs(context: AuditContext): readonly Finding[] {
  return cellsOf(context).flatMap((observed) => {
    const stored = context.document.cells[observed.index]?.outputs ?? []
    const before = plainText(
      stored.flatMap((output) =>
        typeof output.data['text/plain'] === 'string' && output.type !== 'error' ? [output.data['text/plain']] : [],
      ),
    )
    const after = plainText(
      observed.outputs.filter(({ kind }) => kind === 'text' || kind === 'stdout').map(({ preview }) => preview),
    )
    if (before === '' || after === '' || after.length >= 4000 || before === after || observed.state !== 'ok') return []
    return [
      finding('N05', {
        cell: observed.index,
        message:
          'The saved output is not what a clean run gives: the cell, or something above it, was changed after it ran.',
        evidence: `saved: ${shorten(before, 120)} | clean run: ${shorten(after, 120)}`,
      }),
    ]
  })
}

/** Addresses and spaces at line ends differ between runs that are the same. */
function plainText(parts: readonly string[]): string {
  return parts
    .join('\n')
    .replaceAll(/0x[0-9a-f]{6,}/gi, '0x…')
    .replaceAll(/[ \t]+$/gm, '')
    .trim()
}

function classesOfTheNotebook(context: AuditContext): readonly Finding[] {
  const classes = [...context.flow.definitions].filter(([, { fact }]) => fact.kind === 'class').map(([name]) => name)
  return (context.observation?.final ?? [])
    .filter(
      ({ type, kind }) =>
        kind !== 'class' && kind !== 'function' && classes.some((name) => type === `__main__.${name}`),
    )
    .map(({ name, type }) =>
      finding('N34', {
        cell: context.flow.bindings.get(name)?.at(-1)?.cell ?? null,
        message: `${listed([name])} is a \`${type.replace('__main__.', '')}\`, a class of this notebook: stored values of it can be loaded only where the class is. It moves to the module.`,
        evidence: `${name}: ${type}`,
      }),
    )
}

function slowCells(context: AuditContext): readonly Finding[] {
  return cellsOf(context)
    .filter(({ ms }) => ms > SLOW_MS)
    .map(({ index, ms }) =>
      finding('N45', {
        cell: index,
        message: `The cell took ${(ms / 1000).toFixed(1)} s: as a step of its own it is run again only when something it depends on changes.`,
        evidence: `${Math.round(ms)} ms`,
      }),
    )
}
