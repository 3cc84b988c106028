/** Where a key of the configuration stands in its text, so that problems point at it. Approximate is fine: null when unsure. */
import type { Place } from '../../diagnostics.ts'
import { placeAt, topOf } from '../place.ts'
import { parseTypeScript } from '../typescript/parse-typescript.ts'
import type { Node } from '../typescript/parse-typescript.ts'

export type KeyLocator = (path: readonly PropertyKey[]) => Place

export function keyLocator(file: string, text: string): KeyLocator {
  const root = configObject(parseTypeScript(file, text).program)
  return (path) => {
    let node: Node | null = root
    let place: Place | null = null
    for (const key of path) {
      const property = node === null ? null : propertyOf(node, String(key))
      if (property === null) break
      const { start, end } = property['key'] as Node
      place = placeAt(file, text, start, end - start)
      node = innerObject(property['value'] as Node)
    }
    return place ?? (root === null ? topOf(file, text) : placeAt(file, text, root.start, 1))
  }
}

/** The object literal of `export default defineConfig({..})` or `export default {..}`. */
function configObject(program: Node): Node | null {
  for (const statement of program['body'] as readonly Node[]) {
    if (statement.type === 'ExportDefaultDeclaration') return innerObject(statement['declaration'] as Node)
  }
  return null
}

/** Through `satisfies`, `as` and calls: of `file('x', {..})` the options, of `defineConfig({..})` the object. */
function innerObject(node: Node): Node | null {
  if (node.type === 'ObjectExpression') return node
  if (node.type === 'TSSatisfiesExpression' || node.type === 'TSAsExpression')
    return innerObject(node['expression'] as Node)
  if (node.type === 'CallExpression') {
    const objects = (node['arguments'] as readonly Node[]).map(innerObject)
    return objects.find((found) => found !== null) ?? null
  }
  return null
}

function propertyOf(object: Node, name: string): Node | null {
  for (const property of object['properties'] as readonly Node[]) {
    if (property.type !== 'Property') continue
    const key = property['key'] as Node
    if ((key.type === 'Identifier' ? key['name'] : key['value']) === name) return property
  }
  return null
}
