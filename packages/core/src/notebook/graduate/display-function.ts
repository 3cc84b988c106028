/** What shows a value as the notebook did: IPython's `display`, under another name where the notebook calls something so. */
import type { Units } from '../dataflow/units.ts'

export interface DisplayFunction {
  readonly name: string
  /** The import that brings it. */
  readonly line: string
}

export function displayFunction(units: Units): DisplayFunction {
  const isTaken = units.list.some(
    ({ binds, mayBinds, facts }) =>
      (binds.includes('display') || mayBinds.includes('display')) &&
      !facts.imports.some(({ boundAs, module }) => boundAs === 'display' && module.startsWith('IPython.')),
  )
  if (!isTaken) return { name: 'display', line: 'from IPython.display import display' }
  let name = 'show_value'
  for (let number = 2; units.names.has(name); number++) name = `show_value_${number}`
  return { name, line: `from IPython.display import display as ${name}` }
}
