/**
 * What a piece of code reaches and does, from its tree. Names are collected without scopes: one that is shadowed counts
 * as used, which can only make a closure larger.
 */
import path from 'node:path'
import type { BindingFact, CodeFacts, VolatileFact } from '../../fingerprint/typescript/facts.ts'
import { codeDigest } from './code-digest.ts'
import { walk } from './parse-typescript.ts'
import type { Node } from './parse-typescript.ts'

export interface ModuleScope {
  readonly file: string
  /** Names bound at the module's top level. */
  readonly names: ReadonlySet<string>
  readonly bindings: Readonly<Record<string, BindingFact>>
  readonly lineOf: (offset: number) => number
}

interface Draft {
  readonly reads: Set<string>
  readonly imports: Set<string>
  readonly data: Set<string>
  readonly volatile: VolatileFact[]
  readonly computed: { what: string; line: number }[]
}

export function codeFacts(nodes: readonly Node[], scope: ModuleScope): CodeFacts {
  const draft: Draft = { reads: new Set(), imports: new Set(), data: new Set(), volatile: [], computed: [] }
  for (const node of nodes) {
    walk(node, (inner, parent) => {
      if (isTypeOnly(inner)) return false
      readNames(inner, parent, scope, draft)
      readCalls(inner, scope, draft)
      return undefined
    })
  }
  return {
    digest: codeDigest(nodes),
    reads: [...draft.reads].sort(),
    imports: [...draft.imports].sort(),
    data: [...draft.data].sort(),
    volatile: draft.volatile,
    computed: draft.computed,
  }
}

function isTypeOnly(node: Node): boolean {
  return node.type.startsWith('TSType') && node.type !== 'TSTypeAssertion'
    ? true
    : node.type === 'TSInterfaceDeclaration' || node['declare'] === true
}

function readNames(node: Node, parent: Node | null, scope: ModuleScope, draft: Draft): void {
  if (node.type !== 'Identifier' && node.type !== 'JSXIdentifier') return
  const name = String(node['name'])
  if (isKey(node, parent)) return
  if (scope.names.has(name)) {
    draft.reads.add(name)
    const binding = scope.bindings[name]
    if (binding !== undefined && binding.name !== null)
      volatileImport(binding.from, binding.name, scope.lineOf(node.start), draft)
    return
  }
  const line = scope.lineOf(node.start)
  if (name === 'fetch' || name === 'WebSocket' || name === 'EventSource')
    draft.volatile.push({ kind: 'network', what: `${name}()`, line })
  if (name === 'eval' || name === 'Function' || name === 'require') draft.computed.push({ what: name, line })
}

/** `a.name` and `{ name: .. }` name members, not variables. */
function isKey(node: Node, parent: Node | null): boolean {
  if (parent === null) return false
  if (parent.type === 'MemberExpression') return parent['property'] === node && parent['computed'] !== true
  const hasKey =
    parent.type === 'Property' || parent.type === 'MethodDefinition' || parent.type === 'PropertyDefinition'
  return hasKey && parent['key'] === node && parent['computed'] !== true && parent['shorthand'] !== true
}

function readCalls(node: Node, scope: ModuleScope, draft: Draft): void {
  const line = scope.lineOf(node.start)
  if (node.type === 'MemberExpression') readMember(node, scope, draft, line)
  if (node.type === 'ImportExpression') {
    const specifier = stringOf(node['source'])
    if (specifier === null) draft.computed.push({ what: 'import() of a computed path', line })
    else draft.imports.add(specifier)
  }
  const callee = node['callee'] as Node | undefined
  if (callee?.type === 'Identifier' && callee['name'] === 'Date' && !scope.names.has('Date')) {
    const count = (node['arguments'] as readonly Node[]).length
    if (node.type === 'CallExpression' || count === 0)
      draft.volatile.push({ kind: 'clock', what: node.type === 'NewExpression' ? 'new Date()' : 'Date()', line })
  }
  if (node.type === 'NewExpression' && callee?.type === 'Identifier' && callee['name'] === 'URL')
    readUrl(node, scope, draft)
  if (node.type === 'MetaProperty') readMeta(node, draft, line)
}

const volatileMembers: Readonly<Record<string, VolatileFact['kind']>> = {
  'Date.now': 'clock',
  'performance.now': 'clock',
  'performance.timeOrigin': 'clock',
  'Temporal.Now': 'clock',
  'process.hrtime': 'clock',
  'process.uptime': 'clock',
  'Math.random': 'random',
  'crypto.randomUUID': 'random',
  'crypto.getRandomValues': 'random',
  'process.env': 'environment',
  'process.argv': 'environment',
  'process.cwd': 'environment',
  'process.pid': 'process',
}

function readMember(node: Node, scope: ModuleScope, draft: Draft, line: number): void {
  const object = node['object'] as Node
  if (object.type !== 'Identifier') return
  const name = String(object['name'])
  const property = node['computed'] === true ? stringOf(node['property']) : String((node['property'] as Node)['name'])
  const binding = scope.bindings[name]
  if (binding !== undefined && (binding.name === null || binding.name === 'default')) {
    volatileImport(binding.from, property ?? '*', line, draft)
    return
  }
  if (scope.names.has(name)) return
  if (name === 'globalThis' || property === null) {
    if (name === 'globalThis' || name === 'process') draft.computed.push({ what: `${name}[..]`, line })
    return
  }
  const kind = volatileMembers[`${name}.${property}`]
  if (kind !== undefined) draft.volatile.push({ kind, what: `${name}.${property}`, line })
}

const builtinKinds: Readonly<Record<string, { readonly kind: VolatileFact['kind']; readonly names: RegExp }>> = {
  crypto: { kind: 'random', names: /^(random\w*|generate\w*|getRandomValues|webcrypto|\*)$/ },
  http: { kind: 'network', names: /./ },
  https: { kind: 'network', names: /./ },
  http2: { kind: 'network', names: /./ },
  net: { kind: 'network', names: /./ },
  tls: { kind: 'network', names: /./ },
  dns: { kind: 'network', names: /./ },
  'dns/promises': { kind: 'network', names: /./ },
  dgram: { kind: 'network', names: /./ },
  child_process: { kind: 'process', names: /./ },
  worker_threads: { kind: 'process', names: /./ },
  os: { kind: 'environment', names: /^(?!EOL$)/ },
  fs: { kind: 'file', names: /./ },
  'fs/promises': { kind: 'file', names: /./ },
  perf_hooks: { kind: 'clock', names: /./ },
  process: { kind: 'environment', names: /./ },
}

function volatileImport(from: string, name: string, line: number, draft: Draft): void {
  const builtin = builtinKinds[from.replace(/^node:/, '')]
  if (builtin === undefined || !builtin.names.test(name)) return
  const what = `${from.replace(/^node:/, '')}.${name}`
  if (!draft.volatile.some((use) => use.what === what)) draft.volatile.push({ kind: builtin.kind, what, line })
}

/** `new URL('./x.json', import.meta.url)` names a file beside the module. */
function readUrl(node: Node, scope: ModuleScope, draft: Draft): void {
  const [target, base] = node['arguments'] as readonly Node[]
  if (base === undefined || !isMetaUrl(base) || target === undefined) return
  const specifier = stringOf(target)
  if (specifier === null || /^[a-z]+:/i.test(specifier) || specifier.startsWith('/')) return
  const file = path.posix.normalize(path.posix.join(path.posix.dirname(scope.file), decodeURI(specifier)))
  if (!file.startsWith('../')) draft.data.add(file)
  knownMeta.add(base)
  knownMeta.add(base['object'] as Node)
}

/** `import.meta` nodes that a literal `new URL` accounts for. */
const knownMeta: WeakSet<Node> = new WeakSet()

function isMetaUrl(node: Node): boolean {
  return (
    node.type === 'MemberExpression' &&
    (node['object'] as Node).type === 'MetaProperty' &&
    (node['property'] as Node)['name'] === 'url'
  )
}

/** The module's own path in any other use: which files are read with it is not for us to say. */
function readMeta(node: Node, draft: Draft, line: number): void {
  if (!knownMeta.has(node)) draft.computed.push({ what: 'import.meta', line })
}

export function stringOf(node: unknown): string | null {
  const { type, value, quasis, expressions } = node as {
    type?: string
    value?: unknown
    quasis?: readonly Node[]
    expressions?: readonly Node[]
  }
  if (type === 'Literal' && typeof value === 'string') return value
  if (type === 'TemplateLiteral' && expressions?.length === 0)
    return (quasis?.[0]?.['value'] as { readonly cooked: string } | undefined)?.cooked ?? null
  return null
}
