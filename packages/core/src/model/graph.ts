/** The graph of steps: who must end before whom, in an order that is stable for equal projects. Pure. */
import type { StepDefinition } from './project.ts'
import { producers } from './link.ts'

export interface Graph {
  /** Every step after all it reads; ties in the order of the project's files. */
  readonly order: readonly StepDefinition[]
  readonly byId: ReadonlyMap<string, StepDefinition>
  readonly producerOf: ReadonlyMap<string, StepDefinition>
  /** Ids of the steps it reads from directly. */
  readonly upstream: ReadonlyMap<string, readonly string[]>
  readonly downstream: ReadonlyMap<string, readonly string[]>
  /** Checks that guard an asset. */
  readonly checksOf: ReadonlyMap<string, readonly StepDefinition[]>
}

/** Expects a linked project without circles. */
export function graphOf(steps: readonly StepDefinition[]): Graph {
  const byId = new Map(steps.map((step) => [step.id, step]))
  const producerOf = producers(steps)
  const upstream = new Map<string, string[]>()
  const downstream = new Map<string, string[]>(steps.map((step) => [step.id, []]))
  const checksOf = new Map<string, StepDefinition[]>()
  for (const step of steps) {
    const ids = new Set<string>()
    const reads = step.inputs.flatMap((input) => (input.target?.type === 'asset' ? [input.target.name] : []))
    if (step.options.afterRandom !== null) reads.push(step.options.afterRandom)
    if (step.check !== null) {
      reads.push(step.check.asset)
      checksOf.set(step.check.asset, [...(checksOf.get(step.check.asset) ?? []), step])
    }
    for (const name of reads) {
      const source = producerOf.get(name)
      if (source && source.id !== step.id) ids.add(source.id)
    }
    upstream.set(step.id, [...ids])
    for (const id of ids) downstream.get(id)!.push(step.id)
  }
  return { order: topological(steps, upstream, downstream), byId, producerOf, upstream, downstream, checksOf }
}

function topological(
  steps: readonly StepDefinition[],
  upstream: ReadonlyMap<string, readonly string[]>,
  downstream: ReadonlyMap<string, readonly string[]>,
): StepDefinition[] {
  const waiting = new Map(steps.map((step) => [step.id, upstream.get(step.id)!.length]))
  const byId = new Map(steps.map((step) => [step.id, step]))
  const ready = steps.filter((step) => waiting.get(step.id) === 0)
  const order: StepDefinition[] = []
  for (let i = 0; i < ready.length; i++) {
    const step = ready[i]!
    order.push(step)
    for (const id of downstream.get(step.id)!) {
      const left = waiting.get(id)! - 1
      waiting.set(id, left)
      if (left === 0) ready.push(byId.get(id)!)
    }
  }
  return order
}

/** Ids reachable from `start` along `edges`, the start included. */
export function reachable(start: Iterable<string>, edges: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const found = new Set(start)
  const queue = [...found]
  for (let i = 0; i < queue.length; i++) {
    for (const id of edges.get(queue[i]!) ?? []) {
      if (!found.has(id)) {
        found.add(id)
        queue.push(id)
      }
    }
  }
  return found
}
