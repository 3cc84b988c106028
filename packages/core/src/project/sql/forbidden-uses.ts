/** What a query may not do: read files and addresses past the sources, name tables in text, call what the engine lacks. */
import type { Diagnostic } from '../../diagnostics.ts'
import { placeAt } from '../place.ts'
import { builtInForms } from './check-steps.ts'
import type { MacroFact } from './discover-macros.ts'
import type { SqlAsset } from './discover-sql.ts'

const readers =
  /^(read_\w+|\w*_scan|parquet_\w+|glob|sniff_csv|st_read\w*|query_table|query|json_execute_serialized_sql)$/
const allowed = new Set([
  'range',
  'generate_series',
  'unnest',
  'repeat',
  'repeat_row',
  'json_each',
  'json_tree',
  'histogram_values',
  'histogram',
  'summary',
])

export function forbiddenUses(asset: SqlAsset, macros: readonly MacroFact[]): Diagnostic[] {
  const { file, text, facts } = asset
  const names = new Set(macros.map((macro) => macro.name))
  const at = (offset: number | null, length: number): Diagnostic['at'] => placeAt(file, text, offset ?? 0, length)
  const diagnostics: Diagnostic[] = []
  for (const { name, offset, isFile } of facts.relations) {
    if (!isFile) continue
    const fix = `declare it in cellmill.config.ts, as  sources: { NAME: file('${name}') }, and write  FROM NAME`
    diagnostics.push({
      code: 'D031',
      severity: 'error',
      message: `the query reads '${name}' directly`,
      at: at(offset, name.length + 2),
      notes: [],
      fix,
    })
  }
  const tableFunctions = new Set<string>()
  for (const { name, offset } of facts.tableFunctions) {
    tableFunctions.add(name)
    if (allowed.has(name) || names.has(name)) continue
    if (readers.test(name)) {
      const byText = name.startsWith('query') || name.startsWith('json_')
      const message = byText
        ? `${name}() hides which tables the query reads`
        : `${name}() reads a file or an address directly`
      const fix = byText
        ? "write the table's name in FROM"
        : `declare it in cellmill.config.ts, as  sources: { NAME: file('PATH') }, and write  FROM NAME`
      diagnostics.push({ code: 'D031', severity: 'error', message, at: at(offset, name.length), notes: [], fix })
      continue
    }
    const known = facts.functions.find((call) => call.name.toLowerCase() === name)
    if (known?.stability === null) continue
    diagnostics.push({
      code: 'D032',
      severity: 'error',
      message: `${name}() tells about the engine, not about data`,
      at: at(offset, name.length),
      notes: [],
      fix: 'take it out of the query',
    })
  }
  for (const { name, stability, suggestion, offset } of facts.functions) {
    const lower = name.toLowerCase()
    if (stability !== null || names.has(lower) || builtInForms.has(lower)) continue
    const fix = suggestion === null ? 'write it as a macro in sql/macros/' : `did you mean '${suggestion}'?`
    diagnostics.push({
      code: 'D032',
      severity: 'error',
      message: `there is no function '${name}'`,
      at: at(offset, name.length),
      notes: [],
      fix,
    })
  }
  return diagnostics
}
