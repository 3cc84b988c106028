/** `audit --run`: the rules with what one sandboxed, observed run of the notebook showed. Packages must be installed. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { auditNotebook } from '../notebook/audit/audit-notebook.ts'
import { proposeOrders } from '../notebook/dataflow/orders.ts'
import { loadFacts } from '../notebook/facts/load-facts.ts'
import type { AuditResult } from '../notebook/finding.ts'
import { copyTree } from '../notebook/observe/copy-tree.ts'
import { observeNotebook } from '../notebook/observe/observe-notebook.ts'
import { kernelConditions } from '../notebook/observe/run-conditions.ts'
import { readNotebook } from '../notebook/read/read-notebook.ts'
import { findPython } from '../packages/find-python.ts'
import { toolsEnvironment } from '../packages/tools-environment.ts'
import { auditFiles } from './audit-notebooks.ts'
import { notebookPath } from './graduation/notebook-path.ts'
import type { Workspace } from './workspace.ts'

export interface ObservedAudit {
  readonly notebook: string
  readonly cwd: string
  readonly signal: AbortSignal
}

export async function auditObserved(workspace: Workspace, options: ObservedAudit): Promise<AuditResult> {
  const relative = notebookPath(workspace.root, options)
  const absolute = path.join(workspace.root, relative)
  const document = await readNotebook(absolute, { displayPath: relative })
  const [sandbox, environment] = await Promise.all([workspace.sandbox(), workspace.python()])
  const facts = await loadFacts(document, { python: environment, sandbox })
  const scratch = await mkdtemp(path.join(tmpdir(), 'cellmill-audit-'))
  try {
    const projectCopy = path.join(scratch, 'project')
    await copyTree(workspace.root, projectCopy, undefined, options.signal)
    const [order] = proposeOrders(document, facts)
    const observation = await observeNotebook({
      document,
      facts,
      execution: order?.cells ?? [],
      projectCopy,
      environment,
      toolsSitePackages: await toolsEnvironment(await findPython()),
      sandbox,
      clock: workspace.clock,
      mode: 'instrumented',
      conditions: kernelConditions,
      captureFolder: null,
      allowNetwork: [],
      hostVariables: workspace.variables,
      signal: options.signal,
    })
    return auditNotebook({
      document,
      facts,
      projectRoot: workspace.root,
      files: auditFiles(workspace.root, absolute),
      observation,
    })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}
