/** Every name alive at the notebook's end that no asset holds, each with the reason: the proof lists them all. */
import type { Flow } from '../dataflow/flow.ts'
import type { Units } from '../dataflow/units.ts'
import type { Plan } from './cut.ts'
import type { Role, Roles } from './roles.ts'

export interface UnheldInput {
  readonly units: Units
  readonly flow: Flow
  readonly roles: Roles
  readonly plan: Plan
  readonly held: ReadonlyMap<string, string>
  readonly droppedCells: readonly { readonly cell: number; readonly why: string }[]
}

const BY_ROLE: Partial<Record<Role, string>> = {
  import: 'imported by the module',
  'local-import': 'imported by the module',
  definition: 'defined in the module',
  'local-definition': 'defined in the steps that use it',
  constant: 'constant of the module',
  'local-constant': 'constant of the steps that use it',
  parameter: 'parameter',
  setting: 'setting',
}

export function unheldNames(input: UnheldInput): { variable: string; why: string }[] {
  const found: { variable: string; why: string }[] = []
  for (const [name, version] of input.flow.final) {
    if (input.held.has(name)) continue
    const unit = input.flow.versions[version]?.unit ?? -1
    const role = input.roles.of[unit] ?? 'compute'
    const at = input.plan.steps.findIndex((step) => step.units.includes(unit))
    const step = input.plan.steps[at]
    const why =
      BY_ROLE[role] ??
      (step === undefined ? 'dropped' : step.kind === 'asset' ? 'local of a step' : 'drawn in a report')
    found.push({ variable: name, why })
  }
  for (const dropped of input.droppedCells)
    found.push({ variable: '', why: `cell ${dropped.cell} was left out: ${dropped.why}` })
  return found.filter((one) => one.variable !== '' || input.droppedCells.length > 0)
}
