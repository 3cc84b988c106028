/**
 * (project, catalog view, source observations) to a Plan. Pure: reads values and a synchronous view, writes nothing.
 * It never claims more than it knows: a step whose inputs will be rebuilt is `depends` unless nothing built so far can
 * have its recipe.
 */
import type { PlanView, PointerRecord } from '../catalog/catalog.ts'
import type { Diagnostic } from '../diagnostics.ts'
import type { Closure } from '../fingerprint/closures.ts'
import type { Graph } from '../model/graph.ts'
import type { Project, StepDefinition } from '../model/project.ts'
import { fingerprintOf, recipeDigest } from '../model/recipe.ts'
import type { Recipe } from '../model/recipe.ts'
import type { SnapshotRecord } from '../model/snapshot.ts'
import { explainRecipes } from './explain.ts'
import { inputDigest, randomDigest } from './input-digest.ts'
import type { DigestContext } from './input-digest.ts'
import type { Plan, PlanReason, PlanStep, PlannedWork } from './plan.ts'
import { recipeOf } from './recipe-of.ts'
import type { RecipeContext } from './recipe-of.ts'

/** What is known of a source before it is captured. */
export interface SourceStatus {
  readonly name: string
  /** Null when it must be captured before anything can be said. */
  readonly contentDigest: string | null
  readonly detail: string
}

export interface PlanRequest {
  readonly project: Project
  readonly graph: Graph
  readonly environment: string
  readonly view: PlanView
  readonly recipes: RecipeContext
  readonly packageOf: (module: string) => string | null
  readonly sources: ReadonlyMap<string, SourceStatus>
  /** Null for the whole project. */
  readonly selected: ReadonlySet<string> | null
  /** Steps to build although a result exists. */
  readonly rebuild: ReadonlySet<string>
}

/** What later steps may know of a step: the snapshots its outputs will have, or nothing yet. */
type Known = ReadonlyMap<string, SnapshotRecord> | null

export function makePlan(request: PlanRequest): Plan {
  return new Planner(request).plan()
}

class Planner {
  readonly #request: PlanRequest
  readonly #pointers: ReadonlyMap<string, PointerRecord>
  readonly #digests: DigestContext
  readonly #known: Map<string, Known> = new Map()
  readonly #included: Set<string>
  readonly #rows: PlanStep[] = []
  readonly #work: Record<string, PlannedWork> = {}
  readonly #diagnostics: Diagnostic[]

  constructor(request: PlanRequest) {
    this.#request = request
    this.#pointers = request.view.pointers(request.environment)
    this.#diagnostics = [...request.project.diagnostics]
    this.#digests = {
      languages: request.recipes.languages,
      packageOf: request.packageOf,
      columnDigest: (id, form, key) => request.view.columnDigest(id, form, key),
    }
    this.#included = this.#withMissingAncestors()
  }

  plan(): Plan {
    const request = this.#request
    const state = request.view.environment(request.environment)
    for (const step of request.graph.order) {
      if (this.#included.has(step.id)) this.#planStep(step)
      else this.#known.set(step.id, this.#published(step))
    }
    if (request.selected === null) this.#planRemovals()
    return {
      environment: request.environment,
      base: state.release === 0 ? null : { release: state.release, at: state.releasedAt ?? '' },
      held: state.held,
      steps: this.#rows,
      work: this.#work,
      full: request.selected === null,
      diagnostics: distinct(this.#diagnostics),
    }
  }

  /** A selected step's ancestors that this environment does not have yet are built with it. */
  #withMissingAncestors(): Set<string> {
    const { graph, selected } = this.#request
    if (selected === null) return new Set(graph.order.map((step) => step.id))
    const included = new Set(selected)
    for (const step of [...graph.order].reverse()) {
      if (!included.has(step.id)) continue
      for (const id of graph.upstream.get(step.id) ?? []) {
        if (!included.has(id) && this.#published(graph.byId.get(id)!) === null) included.add(id)
      }
    }
    return included
  }

  #published(step: StepDefinition): Known {
    const snapshots = new Map<string, SnapshotRecord>()
    for (const { asset } of step.outputs) {
      const pointer = this.#pointers.get(asset)
      const snapshot = pointer === undefined ? null : this.#request.view.snapshot(pointer.snapshotId)
      if (snapshot === null) return null
      snapshots.set(asset, snapshot)
    }
    return snapshots
  }

  #planStep(step: StepDefinition): void {
    const { view, recipes, graph } = this.#request
    const { recipe, closure } = recipeOf(recipes, step)
    this.#diagnostics.push(...closure.diagnostics, ...undeclaredVolatility(step, closure))
    this.#work[step.id] = {
      definition: step,
      recipe,
      after: (graph.upstream.get(step.id) ?? []).filter((id) => this.#included.has(id)),
    }
    const digests = this.#inputDigests(step)
    if (digests.some((digest) => digest === null)) {
      this.#known.set(step.id, null)
      this.#rows.push(this.#undecided(step, recipe))
      return
    }
    const fingerprint = fingerprintOf(recipe, digests as string[])
    if (step.kind === 'check') {
      this.#rows.push(this.#checkRow(step, fingerprint))
      return
    }
    const forced = this.#request.rebuild.has(step.id) || step.kind === 'effect'
    const result = forced ? null : view.result(fingerprint)
    if (result === null) {
      this.#known.set(step.id, null)
      this.#rows.push(this.#row(step, 'build', fingerprint, forced ? forcedReason(step) : this.#whyBuild(step, recipe)))
      return
    }
    const snapshots = new Map(
      step.outputs.map((output) => [
        output.asset,
        result.snapshots.find((snapshot) => snapshot.output === output.output)!,
      ]),
    )
    this.#known.set(step.id, snapshots)
    const moves = step.outputs.some(({ asset }) => this.#pointers.get(asset)?.snapshotId !== snapshots.get(asset)!.id)
    const detail = moves ? 'built before; its pointer moves' : 'nothing changed'
    this.#rows.push({
      ...this.#row(step, 'reuse', fingerprint, { kind: 'unchanged', detail, because: [] }),
      publishes: moves,
    })
  }

  /** One per recipe input; null for what is not known before the run. */
  #inputDigests(step: StepDefinition): (string | null)[] {
    const digests = step.inputs.map((input) => {
      if (input.target === null) return null
      if (input.target.type === 'source') return this.#request.sources.get(input.target.name)?.contentDigest ?? null
      const snapshot = this.#snapshotOf(input.target.name)
      return snapshot === null ? null : inputDigest(this.#digests, step, input, snapshot)
    })
    if (step.options.afterRandom !== null) {
      const before = this.#snapshotOf(step.options.afterRandom)
      digests.push(before === null ? null : randomDigest(before))
    }
    return digests
  }

  #snapshotOf(asset: string): SnapshotRecord | null {
    const producer = this.#request.graph.producerOf.get(asset)
    return (producer && this.#known.get(producer.id)?.get(asset)) ?? null
  }

  #undecided(step: StepDefinition, recipe: Recipe): PlanStep {
    const because = this.#unknownInputs(step)
    const { view } = this.#request
    const fromSource = because.every((name) => this.#request.sources.has(name))
    const changed = this.#explainAgainstPointer(step, recipe)
    if (this.#request.rebuild.has(step.id)) return this.#row(step, 'build', null, forcedReason(step))
    if (step.kind === 'asset' && !view.hasRecipe(recipeDigest(recipe))) {
      return this.#row(
        step,
        'build',
        null,
        changed ?? { kind: this.#isNew(step) ? 'new' : 'missing', detail: 'never built', because },
      )
    }
    return this.#row(step, 'depends', null, {
      kind: fromSource ? 'source' : 'upstream',
      detail: `depends on ${because.join(', ')}`,
      because,
    })
  }

  #unknownInputs(step: StepDefinition): string[] {
    const names = step.inputs.flatMap((input) => {
      if (input.target === null) return []
      const known =
        input.target.type === 'source'
          ? this.#request.sources.get(input.target.name)?.contentDigest
          : this.#snapshotOf(input.target.name) &&
            inputDigest(this.#digests, step, input, this.#snapshotOf(input.target.name)!)
      return known ? [] : [input.target.name]
    })
    const { afterRandom } = step.options
    if (afterRandom !== null && this.#snapshotOf(afterRandom) === null) names.push(afterRandom)
    return [...new Set(names)]
  }

  #checkRow(step: StepDefinition, fingerprint: string): PlanStep {
    const verdict = this.#request.view.verdict(fingerprint)
    if (verdict === null || this.#request.rebuild.has(step.id)) {
      return this.#row(step, 'build', fingerprint, {
        kind: 'new',
        detail: 'not checked yet',
        because: [step.check!.asset],
      })
    }
    const detail = verdict.passed ? 'passed before' : `failed before: ${verdict.message}`
    return { ...this.#row(step, 'reuse', fingerprint, { kind: 'unchanged', detail, because: [] }), publishes: false }
  }

  #isNew(step: StepDefinition): boolean {
    return step.outputs.every(({ asset }) => !this.#pointers.has(asset))
  }

  #explainAgainstPointer(step: StepDefinition, recipe: Recipe): PlanReason | null {
    const asset = step.outputs[0]?.asset ?? step.id
    const pointer = this.#pointers.get(asset)
    if (pointer === undefined) return null
    const before = this.#request.view.recipe(pointer.fingerprint)
    return before === null ? null : explainRecipes(before.recipe, recipe, step.id)
  }

  #whyBuild(step: StepDefinition, recipe: Recipe): PlanReason {
    const { view, environment } = this.#request
    const last = view.lastStep(environment, step.id)
    const pointer = this.#pointers.get(step.outputs[0]?.asset ?? step.id)
    if (pointer === undefined) {
      const failed = last?.state === 'failed'
      return failed
        ? { kind: 'previous-failure', detail: 'failed in the last run', because: [] }
        : { kind: 'new', detail: 'never built here', because: [] }
    }
    const snapshot = view.snapshot(pointer.snapshotId)
    if (snapshot !== null && !snapshot.reusable) {
      return {
        kind: 'undeclared-read',
        detail: snapshot.notReusableBecause ?? 'it read something undeclared',
        because: [],
      }
    }
    const changed = this.#explainAgainstPointer(step, recipe)
    if (changed !== null) return changed
    const moved = this.#changedInputs(step, pointer.fingerprint)
    if (moved.length > 0) {
      const isSource = moved.every((name) => this.#request.sources.has(name))
      return { kind: isSource ? 'source' : 'input', detail: `${moved.join(', ')} changed`, because: moved }
    }
    if (last?.state === 'failed') return { kind: 'previous-failure', detail: 'failed in the last run', because: [] }
    return { kind: 'missing', detail: 'its stored result is gone', because: [] }
  }

  #changedInputs(step: StepDefinition, fingerprint: string): string[] {
    const before = this.#request.view.recipe(fingerprint)
    if (before === null) return []
    const digests = this.#inputDigests(step)
    const names = [...step.inputs.map((input) => input.target?.name ?? input.reference), 'after_random']
    return names.filter((_, i) => i < digests.length && before.inputs[i]?.digest !== digests[i])
  }

  #planRemovals(): void {
    const kept = new Set(this.#request.graph.order.flatMap((step) => step.outputs.map((output) => output.asset)))
    for (const [asset, pointer] of this.#pointers) {
      if (kept.has(asset)) continue
      this.#rows.push({
        step: pointer.step,
        kind: 'asset',
        assets: [asset],
        partition: null,
        action: 'remove',
        publishes: true,
        fingerprint: null,
        reason: { kind: 'missing', detail: 'no longer in the project', because: [] },
        estimateMs: null,
      })
    }
  }

  #row(step: StepDefinition, action: PlanStep['action'], fingerprint: string | null, reason: PlanReason): PlanStep {
    const last = this.#request.view.lastStep(this.#request.environment, step.id)
    return {
      step: step.id,
      kind: step.kind,
      assets: step.outputs.map((output) => output.asset),
      partition: null,
      action,
      publishes: step.kind === 'asset' || step.kind === 'report',
      fingerprint,
      reason,
      estimateMs: action === 'reuse' ? null : (last?.ms ?? null),
    }
  }
}

/** Steps of one module share what is wrong with it. */
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Map<string, Diagnostic>()
  for (const diagnostic of diagnostics) {
    const { code, at, message } = diagnostic
    const key = at === null ? `${code} ${message}` : `${code} ${at.file}:${at.line}:${at.column}`
    if (!seen.has(key)) seen.set(key, diagnostic)
  }
  return [...seen.values()]
}

/** A clock, entropy or the network must not be cached silently: the author says how long a result holds. */
function undeclaredVolatility(step: StepDefinition, closure: Closure): Diagnostic[] {
  if (step.options.refresh !== null || step.options.random === 'fresh' || step.kind === 'effect') return []
  const first = closure.volatile.find((use) => use.kind === 'clock' || use.kind === 'random' || use.kind === 'network')
  if (first === undefined) return []
  return [
    {
      code: 'D030',
      severity: 'error',
      message: `'${step.id}' reaches ${first.what}, so its result does not follow from its inputs, and it declares no refresh`,
      at: { file: first.file, line: first.line, column: 1, length: 1, lineText: '' },
      notes: ["'always' rebuilds it in each run, '1d' once a day, 'never' treats it as if it were deterministic"],
      fix:
        step.language === 'python'
          ? `@asset(refresh="1d")`
          : step.language === 'sql'
            ? '-- @refresh 1d'
            : `refresh: '1d'`,
    },
  ]
}

function forcedReason(step: StepDefinition): PlanReason {
  if (step.kind === 'effect') return { kind: 'forced', detail: 'acts once for each published release', because: [] }
  return { kind: 'forced', detail: '--rebuild', because: [] }
}
