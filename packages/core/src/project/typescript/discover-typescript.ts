/** `assets/**.ts` to steps, read without running any of it. */
import type { Diagnostic, Place } from '../../diagnostics.ts'
import type { TypeScriptFacts } from '../../fingerprint/typescript/facts.ts'
import type { StepDefinition } from '../../model/project.ts'
import type { ProjectFiles } from '../python/python-files.ts'

export interface DiscoverTypeScriptRequest {
  readonly root: string
  readonly cacheFolder: string
  readonly files: ProjectFiles
  readonly listing: readonly string[]
}

export interface DiscoveredTypeScript {
  readonly steps: readonly StepDefinition[]
  /** Project parameters that steps name. */
  readonly parameters: readonly { readonly name: string; readonly place: Place }[]
  readonly facts: TypeScriptFacts
  readonly packages: Readonly<Record<string, string>>
  readonly diagnostics: readonly Diagnostic[]
}

export async function discoverTypeScript(_request: DiscoverTypeScriptRequest): Promise<DiscoveredTypeScript> {
  return { steps: [], parameters: [], facts: { modules: {}, data: {}, packages: {}, installed: [] }, packages: {}, diagnostics: [] }
}
