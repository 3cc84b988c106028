/** The three languages as plans see them, over the facts that discovery stored. Pure: nothing is read here. */
import { pythonClosures } from '../fingerprint/python/python-closures.ts'
import type { PythonFacts } from '../fingerprint/python/facts.ts'
import { sqlLanguage } from '../fingerprint/sql/sql-closures.ts'
import type { SqlFacts } from '../fingerprint/sql/sql-closures.ts'
import { typescriptClosures } from '../fingerprint/typescript/typescript-closures.ts'
import type { TypeScriptFacts } from '../fingerprint/typescript/facts.ts'
import type { ProjectCode } from '../model/project.ts'
import type { PythonEnvironment } from '../packages/python-environment.ts'
import type { LanguageFacts, Languages } from '../plan/language.ts'

export function languagesOf(
  code: ProjectCode,
  environment: PythonEnvironment | null,
  engineVersion: string,
): Languages {
  return {
    python: {
      ...rowReader,
      closures: pythonClosures(code.python as PythonFacts, environment),
      runtime: { language: 'python', version: environment?.version ?? '', platform: environment?.platform ?? '' },
    },
    sql: sqlLanguage(code.sql as SqlFacts, engineVersion),
    typescript: {
      ...rowReader,
      closures: typescriptClosures(code.typescript as TypeScriptFacts),
      runtime: { language: 'node', version: process.versions.node, platform: `${process.platform}-${process.arch}` },
    },
  }
}

/** Code sees rows in order, and exactly the columns that it declares. */
const rowReader: Pick<LanguageFacts, 'columnsFor' | 'formFor' | 'isUnordered'> = {
  columnsFor: (_step, input, columns) => {
    if (input.columns === null) return null
    const declared = new Set(input.columns)
    return columns.map((column) => column.name).filter((name) => declared.has(name))
  },
  formFor: () => 'sequence',
  isUnordered: () => false,
}
