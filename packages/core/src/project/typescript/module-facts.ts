/**
 * One module to its units, effects, imports and exports. A unit is a top-level function, class or constant whose
 * evaluation does nothing else; every other statement is an effect and belongs to all who import the module.
 */
import type { BindingFact, CodeFacts, ModuleFacts, StepCode } from '../../fingerprint/typescript/facts.ts'
import { codeFacts } from './code-facts.ts'
import type { ModuleScope } from './code-facts.ts'
import { isInert } from './inert.ts'
import { walk } from './parse-typescript.ts'
import type { Node } from './parse-typescript.ts'
import { stepCalls } from './step-calls.ts'
import type { StepCall } from './step-calls.ts'

export interface ReadModule {
  readonly facts: Omit<ModuleFacts, 'text' | 'targets'>
  readonly steps: readonly StepCall[]
  /** Every specifier with its place. */
  readonly specifiers: readonly { readonly text: string; readonly node: Node; readonly isType: boolean }[]
}

export const sdkModule = '@cellmill/sdk'

export function readModule(file: string, text: string, program: Node): ReadModule {
  const body = program['body'] as readonly Node[]
  const imports = readImports(body)
  const names = new Set([...Object.keys(imports.bindings), ...topLevelNames(body)])
  const scope: ModuleScope = { file, names, bindings: imports.bindings, lineOf: lineCounter(text) }
  const steps = stepCalls(body, imports.bindings)
  const stepStatements = new Set(steps.map((step) => step.statement))
  const units: Record<string, CodeFacts> = {}
  const effects: CodeFacts[] = []
  for (const statement of body) {
    const declaration = declarationOf(statement)
    if (declaration === null || stepStatements.has(statement)) continue
    const found = unitsOf(declaration, scope)
    if (found === null) effects.push(codeFacts([declaration], scope))
    else Object.assign(units, found)
  }
  const stepCode = Object.fromEntries(steps.map((step) => [step.symbol, codeOfStep(step, scope)]))
  const facts = {
    units,
    effects,
    bindings: imports.bindings,
    ...readExports(body),
    runs: imports.runs,
    steps: stepCode,
  }
  return { facts, steps, specifiers: imports.specifiers }
}

function lineCounter(text: string): (offset: number) => number {
  const starts = [0]
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1)
  return (offset) => {
    let [low, high] = [0, starts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return low + 1
  }
}

interface Imports {
  readonly bindings: Record<string, BindingFact>
  readonly runs: string[]
  readonly specifiers: { text: string; node: Node; isType: boolean }[]
}

/** `import type` disappears; `import { type T }` still runs the module. */
function readImports(body: readonly Node[]): Imports {
  const found: Imports = { bindings: {}, runs: [], specifiers: [] }
  for (const statement of body) {
    const source = statement['source'] as Node | null | undefined
    if (source === null || source === undefined) continue
    const text = String(source['value'])
    const isType = statement['importKind'] === 'type' || statement['exportKind'] === 'type'
    found.specifiers.push({ text, node: source, isType })
    if (isType) continue
    found.runs.push(text)
    if (statement.type !== 'ImportDeclaration') continue
    for (const specifier of statement['specifiers'] as readonly Node[]) {
      if (specifier['importKind'] === 'type') continue
      const local = String((specifier['local'] as Node)['name'])
      found.bindings[local] = { from: text, name: importedName(specifier) }
    }
  }
  for (const statement of body) {
    walk(statement, (node) => {
      if (node.type !== 'ImportExpression') return
      const source = node['source'] as Node
      if (typeof source['value'] === 'string')
        found.specifiers.push({ text: source['value'], node: source, isType: false })
    })
  }
  return found
}

function importedName(specifier: Node): string | null {
  if (specifier.type === 'ImportNamespaceSpecifier') return null
  return specifier.type === 'ImportDefaultSpecifier' ? 'default' : moduleName(specifier['imported'] as Node)
}

/** Names of modules may be identifiers or strings. */
function moduleName(node: Node): string {
  return String(node['name'] ?? node['value'])
}

function readExports(body: readonly Node[]): Pick<ModuleFacts, 'exports' | 'stars'> {
  const exports: Record<string, { local: string } | BindingFact> = {}
  const stars: string[] = []
  for (const statement of body) {
    if (statement['exportKind'] === 'type') continue
    const source = statement['source'] as Node | null | undefined
    const from = source === null || source === undefined ? null : String(source['value'])
    if (statement.type === 'ExportAllDeclaration') {
      const exported = statement['exported'] as Node | null
      if (exported === null) stars.push(from!)
      else exports[moduleName(exported)] = { from: from!, name: null }
    } else if (statement.type === 'ExportDefaultDeclaration') exports['default'] = { local: defaultName(statement) }
    else if (statement.type === 'ExportNamedDeclaration') {
      const declaration = statement['declaration'] as Node | null
      for (const name of declaration === null ? [] : declaredNames(declaration)) exports[name] = { local: name }
      for (const specifier of statement['specifiers'] as readonly Node[]) {
        const local = moduleName(specifier['local'] as Node)
        exports[moduleName(specifier['exported'] as Node)] = from === null ? { local } : { from, name: local }
      }
    }
  }
  return { exports, stars }
}

const anonymousDefault = '*default*'

function defaultName(statement: Node): string {
  const declaration = statement['declaration'] as Node
  const id = declaration['id'] as Node | null | undefined
  if (declaration.type === 'Identifier') return String(declaration['name'])
  return id === null || id === undefined ? anonymousDefault : String(id['name'])
}

/** The statement that runs; null for imports, re-exports and types. */
function declarationOf(statement: Node): Node | null {
  if (
    [
      'ImportDeclaration',
      'ExportAllDeclaration',
      'TSInterfaceDeclaration',
      'TSTypeAliasDeclaration',
      'EmptyStatement',
    ].includes(statement.type)
  )
    return null
  if (statement['declare'] === true || statement.type.startsWith('TSDeclare')) return null
  if (statement.type === 'ExportNamedDeclaration') {
    const declaration = statement['declaration'] as Node | null
    return declaration === null ? null : declarationOf(declaration)
  }
  if (statement.type === 'ExportDefaultDeclaration') {
    const declaration = statement['declaration'] as Node
    return declaration.type === 'Identifier' || declaration.type.startsWith('TSInterface') ? null : declaration
  }
  return statement
}

function topLevelNames(body: readonly Node[]): string[] {
  return body.flatMap((statement) => {
    const declaration = declarationOf(statement)
    return declaration === null ? [] : declaredNames(declaration)
  })
}

function declaredNames(declaration: Node): string[] {
  if (declaration.type === 'VariableDeclaration') {
    return (declaration['declarations'] as readonly Node[]).flatMap((declarator) =>
      patternNames(declarator['id'] as Node),
    )
  }
  const id = declaration['id'] as Node | null | undefined
  return id === null || id === undefined ? [] : [String(id['name'])]
}

function patternNames(pattern: Node): string[] {
  const names: string[] = []
  walk(pattern, (node, parent) => {
    if (node.type !== 'Identifier') return
    if (parent?.type === 'Property' && parent['key'] === node && parent['shorthand'] !== true) return
    names.push(String(node['name']))
  })
  return names
}

/** Null when evaluating the declaration may do more than define its names. */
function unitsOf(declaration: Node, scope: ModuleScope): Record<string, CodeFacts> | null {
  if (
    declaration.type === 'FunctionDeclaration' ||
    declaration.type === 'FunctionExpression' ||
    declaration.type === 'ArrowFunctionExpression'
  ) {
    return { [declaredNames(declaration)[0] ?? anonymousDefault]: codeFacts([declaration], scope) }
  }
  if (declaration.type === 'ClassDeclaration' || declaration.type === 'ClassExpression') {
    return isInert(declaration, scope.bindings)
      ? { [declaredNames(declaration)[0] ?? anonymousDefault]: codeFacts([declaration], scope) }
      : null
  }
  if (declaration.type === 'VariableDeclaration') {
    const declarators = declaration['declarations'] as readonly Node[]
    const inert = declarators.every((declarator) => {
      const init = declarator['init'] as Node | null
      return (declarator['id'] as Node).type === 'Identifier' && (init === null || isInert(init, scope.bindings))
    })
    if (!inert) return null
    return Object.fromEntries(
      declarators.map((declarator) => [
        declaredNames({ ...declaration, declarations: [declarator] })[0]!,
        codeFacts([declarator], scope),
      ]),
    )
  }
  return isInert(declaration, scope.bindings) && !declaration.type.endsWith('Statement')
    ? { [anonymousDefault]: codeFacts([declaration], scope) }
    : null
}

function codeOfStep(step: StepCall, scope: ModuleScope): StepCode {
  const nodes = step.run === null ? [] : [step.run]
  const names = new Set<string>()
  for (const node of nodes) {
    walk(node, (inner, parent) => {
      const isMathRandom = parent?.type === 'MemberExpression' && (parent['object'] as Node)['name'] === 'Math'
      if (inner.type === 'Identifier' && !isMathRandom) names.add(String(inner['name']))
    })
  }
  return {
    code: codeFacts(nodes, scope),
    projectParameters: [
      ...step.projectParameters.map((use) => use.name),
      ...(names.has('runTime') ? ['run_time'] : []),
    ].sort(),
    drawsRandom: names.has('random'),
  }
}
