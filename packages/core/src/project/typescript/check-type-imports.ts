/**
 * `import { Row } from './rows.ts'` where `Row` is a type: stripping keeps the name, and Node then finds no such export.
 * Told for modules that can be read; for packages only Node knows.
 */
import type { Diagnostic } from '../../diagnostics.ts'
import { placeAt } from '../place.ts'
import type { Node, ParsedTypeScript } from './parse-typescript.ts'

export type TypeExports = { readonly kind: 'sdk' | 'unknown' } | { readonly kind: 'module'; readonly program: Node }

const sdkValues = new Set([
  'asset',
  'bool',
  'check',
  'date',
  'defineConfig',
  'effect',
  'file',
  'float',
  'fromEnv',
  'fromProject',
  'http',
  'int',
  'object',
  'path',
  'report',
  'sqlite',
  'str',
  'table',
])

export function checkTypeImports(
  file: string,
  text: string,
  parsed: ParsedTypeScript,
  exportsOf: (specifier: string) => TypeExports,
): Diagnostic[] {
  const diagnostics: Diagnostic[] = []
  for (const statement of parsed.program['body'] as readonly Node[]) {
    if (statement.type !== 'ImportDeclaration' || statement['importKind'] === 'type') continue
    const specifier = String((statement['source'] as Node)['value'])
    const exported = exportsOf(specifier)
    for (const each of statement['specifiers'] as readonly Node[]) {
      if (each.type !== 'ImportSpecifier' || each['importKind'] === 'type') continue
      const imported = each['imported'] as Node
      const name = String(imported['name'] ?? imported['value'])
      if (!isTypeIn(exported, name)) continue
      const at = placeAt(file, text, each.start, each.end - each.start)
      diagnostics.push({
        code: 'D003',
        severity: 'error',
        message: `'${name}' is only a type in '${specifier}', so Node finds no value to import`,
        at,
        notes: [],
        fix: `write  type ${text.slice(each.start, each.end)}`,
      })
    }
  }
  return diagnostics
}

function isTypeIn(exported: TypeExports, name: string): boolean {
  if (exported.kind === 'sdk') return /^[A-Z]/.test(name) && !sdkValues.has(name)
  if (exported.kind !== 'module') return false
  let asType = false
  for (const statement of exported.program['body'] as readonly Node[]) {
    const declaration = (statement['declaration'] as Node | null | undefined) ?? null
    if (statement.type !== 'ExportNamedDeclaration') continue
    if (declaration !== null && (declaration['id'] as Node | undefined)?.['name'] === name) {
      if (declaration.type !== 'TSInterfaceDeclaration' && declaration.type !== 'TSTypeAliasDeclaration') return false
      asType = true
    }
    for (const specifier of (statement['specifiers'] as readonly Node[] | undefined) ?? []) {
      const exportedName = specifier['exported'] as Node
      if (String(exportedName['name'] ?? exportedName['value']) !== name) continue
      if (statement['exportKind'] !== 'type' && specifier['exportKind'] !== 'type') return false
      asType = true
    }
  }
  return asType
}
