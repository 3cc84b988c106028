/** A generated project in a folder of its own, and the built CLI on it as a command to time. */
import path from 'node:path'
import { openPlanView } from '@cellmill/core/catalog/sqlite/plan-view.ts'
import { TestProject } from '../test/support/project.ts'
import { runCommand } from './measure.ts'
import type { Command } from './measure.ts'

export const repository: string = path.resolve(import.meta.dirname, '..')
const cli = path.join(repository, 'packages/cli/bin/cellmill.js')

export function cliCommand(cwd: string, ...args: readonly string[]): Command {
  return { command: process.execPath, args: [cli, ...args], cwd }
}

export interface ProjectOptions {
  /** With the pinned packages that the tests install: pandas, pyarrow, ... */
  readonly withPackages?: boolean
}

export async function makeProject(
  files: Readonly<Record<string, string>>,
  options: ProjectOptions = {},
): Promise<TestProject> {
  const project = new TestProject({ 'cellmill.config.ts': configText(''), ...files })
  if (options.withPackages === true) {
    project.usePackages()
    await runCommand(cliCommand(project.root, 'packages', 'sync'))
  }
  return project
}

export function configText(members: string): string {
  return `import { defineConfig, file } from '@cellmill/sdk'
export default defineConfig({ name: 'bench', environments: { prod: {}, dev: {} }, ${members} })
`
}

/** Content digests of what an environment publishes, by asset. */
export function publishedDigests(root: string, environment: string): ReadonlyMap<string, string> {
  const view = openPlanView(path.join(root, '.cellmill/catalog.sqlite'))
  if (view === null) throw new Error(`${root} has no catalog`)
  try {
    const pointers = [...view.pointers(environment)]
    return new Map(
      pointers.map(([asset, pointer]) => [asset, JSON.stringify(view.snapshot(pointer.snapshotId)?.digests ?? null)]),
    )
  } finally {
    view.close()
  }
}
