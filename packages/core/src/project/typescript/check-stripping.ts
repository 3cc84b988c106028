/**
 * Syntax that type stripping cannot run, found before anything runs: Node only blanks types out, so whatever TypeScript
 * would have to turn into code is refused here, each with what to write instead.
 */
import type { Diagnostic } from '../../diagnostics.ts'
import { placeAt } from '../place.ts'
import { parseTypeScript, walk } from './parse-typescript.ts'
import type { Node, ParsedTypeScript } from './parse-typescript.ts'

export function checkStripping(
  file: string,
  text: string,
  parsed: ParsedTypeScript = parseTypeScript(file, text),
): Diagnostic[] {
  const diagnostic = (start: number, end: number, message: string, fix: string): Diagnostic => ({
    code: 'D003',
    severity: 'error',
    message,
    at: placeAt(file, text, start, Math.min(end, lineEnd(text, start)) - start),
    notes: [],
    fix,
  })
  if (parsed.problems.length > 0) {
    return parsed.problems
      .slice(0, 5)
      .map(({ start, end, message, help }) => diagnostic(start, end, message, help ?? 'correct the syntax'))
  }
  const found: Diagnostic[] = []
  walk(parsed.program, (node) => {
    if (node['declare'] === true) return false
    const problem = problemOf(node, text)
    if (problem !== null) found.push(diagnostic(problem.start, problem.end, problem.message, problem.fix))
    return undefined
  })
  return found
}

interface Found {
  readonly start: number
  readonly end: number
  readonly message: string
  readonly fix: string
}

function problemOf(node: Node, text: string): Found | null {
  const at = { start: node.start, end: node.end }
  switch (node.type) {
    case 'TSEnumDeclaration': {
      const name = nameOf(node['id'])
      return {
        ...at,
        message: `enum '${name}' needs more than types to be removed`,
        fix: `write  const ${name} = { .. } as const`,
      }
    }
    case 'TSModuleDeclaration':
      if (!holdsValues(node)) return null
      return {
        ...at,
        message: 'a namespace with values needs more than types to be removed',
        fix: 'move its contents into a module of their own',
      }
    case 'TSParameterProperty':
      return {
        ...at,
        message: 'a parameter property needs more than types to be removed',
        fix: 'declare the field, and assign it in the constructor',
      }
    case 'Decorator':
      return {
        ...at,
        message: `Node cannot run decorators: ${text.slice(node.start, node.end).slice(0, 40)}`,
        fix: 'call the function on the class instead',
      }
    case 'TSImportEqualsDeclaration':
      if (node['importKind'] === 'type') return null
      return { ...at, message: 'import = needs more than types to be removed', fix: "write  import x from 'x'" }
    case 'TSExportAssignment':
      return { ...at, message: 'export = needs more than types to be removed', fix: 'write  export default x' }
    case 'TSTypeAssertion':
      return { ...at, message: 'the <T>value form cannot be stripped', fix: 'write  value as T' }
    default:
      return null
  }
}

/** A namespace of types only disappears as a whole. */
function holdsValues(module: Node): boolean {
  const body = module['body'] as Node | null
  if (body === null) return false
  if (body.type === 'TSModuleDeclaration') return holdsValues(body)
  return (body['body'] as readonly Node[]).some((statement) => {
    const inner =
      statement.type === 'ExportNamedDeclaration' ? ((statement['declaration'] as Node | null) ?? statement) : statement
    if (inner.type === 'TSModuleDeclaration') return holdsValues(inner)
    return inner['declare'] !== true && !['TSInterfaceDeclaration', 'TSTypeAliasDeclaration'].includes(inner.type)
  })
}

function nameOf(node: unknown): string {
  return typeof node === 'object' && node !== null && 'name' in node ? String(node.name) : 'it'
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end
}
