/** From a workspace to a plan: observes sources cheaply, resolves parameters, and asks plan/ for the value. Writes nothing. */
import { CellmillError } from '../errors.ts'
import { isError } from '../diagnostics.ts'
import type { Diagnostic } from '../diagnostics.ts'
import type { Graph } from '../model/graph.ts'
import { resolveParameters } from '../model/parameters.ts'
import type { ResolvedParameters } from '../model/parameters.ts'
import type { EnvironmentDefinition } from '../model/project.ts'
import { selectSteps } from '../model/select.ts'
import type { DigestContext } from '../plan/input-digest.ts'
import { makePlan } from '../plan/make-plan.ts'
import type { SourceStatus } from '../plan/make-plan.ts'
import type { Plan } from '../plan/plan.ts'
import type { RecipeContext } from '../plan/recipe-of.ts'
import type { LoadedProject } from '../project/loaded-project.ts'
import { observeSource } from '../sources/observe-source.ts'
import type { Observed } from '../sources/observe-source.ts'
import { chooseEnvironment } from './choose-environment.ts'
import type { Workspace } from './workspace.ts'

export interface PlanOptions {
  /** Null for the default one. */
  readonly environment: string | null
  readonly select: readonly string[]
  /** `name` or `asset.name` to text. */
  readonly parameters: ReadonlyMap<string, string>
  readonly rebuild: boolean
  /** Sources as last observed, without asking the network. */
  readonly offline: boolean
  /** Logical time, ISO 8601; null for now. */
  readonly runTime: string | null
}

export interface Planned {
  readonly plan: Plan
  readonly loaded: LoadedProject
  readonly graph: Graph
  readonly environment: EnvironmentDefinition
  readonly parameters: ResolvedParameters
  readonly recipes: RecipeContext
  readonly digests: DigestContext
  readonly observed: ReadonlyMap<string, Observed>
  readonly rebuild: ReadonlySet<string>
  readonly runTime: string
}

/** Throws PROJECT_INVALID with all diagnostics when the project, or what the plan found in it, is wrong. */
export async function planProject(workspace: Workspace, options: PlanOptions): Promise<Planned> {
  const loaded = await workspace.project()
  const { project } = loaded
  const graph = validGraph(loaded)
  const environment = chooseEnvironment({
    named: options.environment,
    config: project.config,
    root: workspace.root,
    variables: workspace.variables,
  })
  const view = await workspace.view()
  const runTime = options.runTime ?? workspace.clock.now()
  const parameters = resolveParameters(project, environment, options.parameters, workspace.variables)
  const selected = selectSteps(graph, options.select)
  const observed = new Map<string, Observed>()
  for (const source of sourcesInUse(graph, selected, loaded)) {
    const last = (binding: string) => view.observation(binding)
    const context = { root: workspace.root, environment, runTime, offline: options.offline, last }
    observed.set(source.name, await observeSource(context, source))
  }
  const recipes: RecipeContext = { languages: loaded.languages, parameters, runTime }
  const rebuild = new Set(options.rebuild ? (selected ?? graph.order.map((step) => step.id)) : [])
  const plan = makePlan({
    project,
    graph,
    environment: environment.name,
    view,
    recipes,
    packageOf: loaded.packageOf,
    sources: new Map([...observed].map(([name, seen]) => [name, statusOf(seen)])),
    selected,
    rebuild,
  })
  refuseErrors(plan.diagnostics)
  const digests: DigestContext = {
    languages: loaded.languages,
    packageOf: loaded.packageOf,
    columnDigest: (id, form, key) => view.columnDigest(id, form, key),
  }
  return { plan, loaded, graph, environment, parameters, recipes, digests, observed, rebuild, runTime }
}

/** The project's graph, or PROJECT_INVALID with everything that is wrong. */
export function validGraph(loaded: LoadedProject): Graph {
  refuseErrors(loaded.project.diagnostics)
  return loaded.graph!
}

function refuseErrors(diagnostics: readonly Diagnostic[]): void {
  const errors = diagnostics.filter(isError)
  if (errors.length === 0) return
  throw new CellmillError(
    'PROJECT_INVALID',
    `the project has ${errors.length} ${errors.length === 1 ? 'error' : 'errors'}`,
    {
      hint: `cellmill explain ${errors[0]!.code}`,
      details: { diagnostics },
    },
  )
}

function sourcesInUse(graph: Graph, selected: ReadonlySet<string> | null, loaded: LoadedProject) {
  const used = new Set<string>()
  for (const step of graph.order) {
    // A selected step may pull in ancestors that were never built, whichever they are.
    if (selected !== null && selected.size === 0) continue
    for (const { target } of step.inputs) if (target?.type === 'source') used.add(target.name)
  }
  return loaded.project.config.sources.filter((source) => used.has(source.name))
}

function statusOf(observed: Observed): SourceStatus {
  return { name: observed.source.name, contentDigest: observed.contentDigest, detail: observed.location }
}
