/** `SELECT` of plan and run: `name`, `+name`, `name+`, `+name+`, `tag:x`, `path:dir`. */
import { CellmillError } from '../errors.ts'
import type { Graph } from './graph.ts'
import { reachable } from './graph.ts'
import { nearestName } from './nearest.ts'
import { NameIndex } from './references.ts'

/**
 * Ids of the chosen steps; checks of chosen assets are chosen with them. Null when nothing was asked: the whole project.
 * Throws UNKNOWN_NAME with the nearest name.
 */
export function selectSteps(graph: Graph, selectors: readonly string[]): ReadonlySet<string> | null {
  if (selectors.length === 0) return null
  const stepOfName = new Map<string, string>()
  for (const step of graph.order) {
    stepOfName.set(step.id, step.id)
    for (const output of step.outputs) stepOfName.set(output.asset, step.id)
  }
  const index = new NameIndex(stepOfName.keys())
  const chosen = new Set<string>()
  for (const selector of selectors) {
    for (const id of resolveSelector(graph, selector, index, stepOfName)) chosen.add(id)
  }
  for (const step of graph.order) {
    const guarded = step.check === null ? undefined : graph.producerOf.get(step.check.asset)
    if (guarded && chosen.has(guarded.id)) chosen.add(step.id)
  }
  return chosen
}

function resolveSelector(
  graph: Graph,
  selector: string,
  index: NameIndex,
  stepOfName: ReadonlyMap<string, string>,
): Iterable<string> {
  if (selector.startsWith('tag:')) {
    const tag = selector.slice(4)
    return notEmpty(
      selector,
      graph.order.filter((step) => step.options.tags.includes(tag)).map((step) => step.id),
    )
  }
  if (selector.startsWith('path:')) {
    const folder = selector.slice(5).replace(/\/+$/, '')
    const inside = (file: string): boolean => file === folder || file.startsWith(`${folder}/`)
    return notEmpty(
      selector,
      graph.order.filter((step) => inside(step.file)).map((step) => step.id),
    )
  }
  const up = selector.startsWith('+')
  const down = selector.endsWith('+') && selector.length > 1
  const name = selector.slice(up ? 1 : 0, down ? -1 : undefined)
  const resolution = index.resolve(name)
  if (resolution.type === 'ambiguous') {
    throw new CellmillError('UNKNOWN_NAME', `'${name}' is ambiguous: ${resolution.names.join(', ')}`, {
      hint: `write one of them in full`,
    })
  }
  if (resolution.type === 'unknown') {
    const near = nearestName(name, index)
    throw new CellmillError('UNKNOWN_NAME', `there is no asset called '${name}'`, {
      hint: near === null ? 'cellmill status lists the assets' : `did you mean '${near}'?`,
      details: { name, nearest: near },
    })
  }
  const id = stepOfName.get(resolution.name)!
  const ids = new Set([id])
  if (up) for (const other of reachable([id], graph.upstream)) ids.add(other)
  if (down) for (const other of reachable([id], graph.downstream)) ids.add(other)
  return ids
}

function notEmpty(selector: string, ids: readonly string[]): readonly string[] {
  if (ids.length === 0)
    throw new CellmillError('UNKNOWN_NAME', `nothing matches '${selector}'`, {
      hint: 'cellmill status lists the assets',
    })
  return ids
}
