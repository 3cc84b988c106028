/**
 * Joins what the languages found into one graph: inputs get their targets, checks their assets, names are checked for
 * duplicates and circles. Everything wrong is a Diagnostic; all are returned together.
 */
import type { Diagnostic, Place } from '../diagnostics.ts'
import { nearestName } from './nearest.ts'
import type { CheckDefinition, InputDefinition, SourceDefinition, StepDefinition } from './project.ts'
import { NameIndex, folderOf } from './references.ts'

export interface Linked {
  readonly steps: readonly StepDefinition[]
  readonly diagnostics: readonly Diagnostic[]
}

export function linkProject(steps: readonly StepDefinition[], sources: readonly SourceDefinition[]): Linked {
  const diagnostics: Diagnostic[] = [...duplicateNames(steps, sources)]
  const assetNames = steps
    .filter((step) => step.kind === 'asset')
    .flatMap((step) => step.outputs.map((output) => output.asset))
  const sourceNames = new Set(sources.map((source) => source.name))
  const index = new NameIndex([...assetNames, ...sourceNames])

  const resolveName = (reference: string, from: string, at: Place): string | null => {
    const resolution = index.resolve(reference, from)
    if (resolution.type === 'found') return resolution.name
    if (resolution.type === 'ambiguous') {
      diagnostics.push({
        code: 'D011',
        severity: 'error',
        message: `'${reference}' is ambiguous: ${resolution.names.join(', ')}`,
        at,
        notes: [],
        fix: `write a longer name, such as ${resolution.names[0]!}`,
      })
      return null
    }
    const near = nearestName(reference, index)
    diagnostics.push({
      code: 'D010',
      severity: 'error',
      message: `there is no asset or source called '${reference}'`,
      at,
      notes: near === null ? [`known names: ${[...index].sort().slice(0, 12).join(', ') || 'none yet'}`] : [],
      fix:
        near === null
          ? `declare '${reference}' as a source in cellmill.config.ts, or write the asset`
          : `did you mean '${near}'?`,
    })
    return null
  }

  const linkInput = (input: InputDefinition, from: string): InputDefinition => {
    const name = resolveName(input.reference, from, input.place)
    if (name === null) return input
    return { ...input, target: { type: sourceNames.has(name) ? 'source' : 'asset', name } }
  }
  const linkCheck = (check: CheckDefinition, from: string, at: Place): CheckDefinition => {
    const name = resolveName(check.asset, from, at)
    return name === null ? check : { ...check, asset: name }
  }

  const linked = steps.map((step) => {
    const from = folderOf(step.outputs[0]?.asset ?? step.id)
    return {
      ...step,
      inputs: step.inputs.map((input) => linkInput(input, from)),
      check: step.check === null ? null : linkCheck(step.check, from, step.place),
    }
  })
  diagnostics.push(...circles(linked))
  return { steps: linked, diagnostics }
}

function duplicateNames(steps: readonly StepDefinition[], sources: readonly SourceDefinition[]): Diagnostic[] {
  const seen = new Map<string, Place | null>(sources.map((source) => [source.name, source.place]))
  const diagnostics: Diagnostic[] = []
  for (const step of steps) {
    const names = step.outputs.length > 0 ? step.outputs.map((output) => output.asset) : [step.id]
    for (const name of names) {
      const first = seen.get(name)
      if (first === undefined) {
        seen.set(name, step.place)
        continue
      }
      diagnostics.push({
        code: 'D013',
        severity: 'error',
        message: `'${name}' is defined twice`,
        at: step.place,
        notes: first === null ? ['first in cellmill.config.ts'] : [`first at ${first.file}:${first.line}`],
        fix: `rename one, for instance with name="${name}_2"`,
      })
    }
  }
  return diagnostics
}

/** One Diagnostic per circle, with its path. */
function circles(steps: readonly StepDefinition[]): Diagnostic[] {
  const producer = producers(steps)
  const state = new Map<string, 'open' | 'done'>()
  const diagnostics: Diagnostic[] = []
  const path: StepDefinition[] = []
  const visit = (step: StepDefinition): void => {
    state.set(step.id, 'open')
    path.push(step)
    for (const input of step.inputs) {
      const upstream = input.target?.type === 'asset' ? producer.get(input.target.name) : undefined
      if (!upstream) continue
      if (state.get(upstream.id) === 'open') {
        const loop = [...path.slice(path.findIndex((other) => other.id === upstream.id)), upstream].map(
          (other) => other.id,
        )
        diagnostics.push({
          code: 'D012',
          severity: 'error',
          message: `assets depend on each other in a circle: ${loop.reverse().join(' -> ')}`,
          at: input.place,
          notes: [],
          fix: `take '${input.argument}' out of '${step.id}', or split the asset that both need`,
        })
      } else if (!state.has(upstream.id)) visit(upstream)
    }
    path.pop()
    state.set(step.id, 'done')
  }
  for (const step of steps) if (!state.has(step.id)) visit(step)
  return diagnostics
}

/** Which step makes which asset. */
export function producers(steps: readonly StepDefinition[]): ReadonlyMap<string, StepDefinition> {
  const map = new Map<string, StepDefinition>()
  for (const step of steps) for (const output of step.outputs) map.set(output.asset, step)
  return map
}
