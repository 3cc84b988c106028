/** The order in which the functions of the written module stand. Pure. */
import type { PlannedStep } from './cut.ts'

/** Makers before readers, else as in the notebook. */
export function readingOrder(steps: readonly PlannedStep[]): readonly number[] {
  const makers = new Map(steps.flatMap((step, at) => step.outputs.map((one) => [one.version, at] as const)))
  const order: number[] = []
  const visit = (at: number): void => {
    const step = steps[at]
    if (step === undefined || order.includes(at)) return
    for (const input of step.simulation.inputs) {
      const maker = makers.get(input.version)
      if (maker !== undefined && maker !== at) visit(maker)
    }
    if (step.afterRandom !== null) visit(step.afterRandom)
    if (!order.includes(at)) order.push(at)
  }
  const byPlace = steps.map((_, at) => at).sort((a, b) => (steps[a]?.units[0] ?? 0) - (steps[b]?.units[0] ?? 0))
  for (const at of byPlace) visit(at)
  return order
}
