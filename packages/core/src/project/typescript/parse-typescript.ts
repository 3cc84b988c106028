/**
 * TypeScript texts to trees with oxc. The parser is a native module, so it is loaded at the first text that no cache
 * knows. Trees are ESTree with TypeScript nodes; offsets are UTF-16.
 */
import { createRequire } from 'node:module'
import type * as Oxc from 'oxc-parser'

/** Any node: the members that a visitor needs are read by name and checked there. */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [member: string]: unknown
}

export interface SyntaxProblem {
  readonly message: string
  readonly start: number
  readonly end: number
  readonly help: string | null
}

export interface ParsedTypeScript {
  readonly program: Node
  readonly problems: readonly SyntaxProblem[]
  readonly comments: readonly { readonly start: number; readonly end: number }[]
}

const loaded: { oxc: typeof Oxc | null } = { oxc: null }

export function parseTypeScript(file: string, text: string): ParsedTypeScript {
  loaded.oxc ??= createRequire(import.meta.url)('oxc-parser') as typeof Oxc
  const result = loaded.oxc.parseSync(file, text, {
    sourceType: 'module',
    lang: file.endsWith('.ts') || file.endsWith('.mts') ? 'ts' : 'js',
  })
  const problems = result.errors.map((error) => ({
    message: error.message,
    start: error.labels[0]?.start ?? 0,
    end: error.labels[0]?.end ?? 0,
    help: error.helpMessage,
  }))
  return { program: result.program as unknown as Node, problems, comments: result.comments }
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

/** Direct children in source order of the tree's members. */
export function childrenOf(node: Node): Node[] {
  const children: Node[] = []
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) children.push(...(value as unknown[]).filter(isNode))
    else if (isNode(value)) children.push(value)
  }
  return children
}

/** Depth first; `visit` answers false to leave out what is below. */
export function walk(node: Node, visit: (node: Node, parent: Node | null) => boolean | void): void {
  const step = (at: Node, parent: Node | null): void => {
    if (visit(at, parent) === false) return
    for (const child of childrenOf(at)) step(child, at)
  }
  step(node, null)
}
