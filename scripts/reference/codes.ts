/** docs/reference/codes.md: errors, diagnostics and defects of notebooks, from their catalogues. */
import { diagnosticCatalogue } from '../../packages/core/src/diagnostic-codes.ts'
import { errorCatalogue } from '../../packages/core/src/error-codes.ts'
import { defectCodes, defects } from '../../packages/core/src/notebook/audit/defects.ts'
import type { DefectCode } from '../../packages/core/src/notebook/audit/defects.ts'
import { code, page, table } from './markdown.ts'

const levels = { E: 'error', W: 'warning', I: 'information' } as const
const bases = { static: 'the code', file: 'the saved file', run: 'an observed run' } as const

export function codesPage(): string {
  return page(
    '# Codes',
    'Codes are permanent. `cellmill explain CODE` prints the same in the terminal.',
    '## Errors',
    'An operation that could not be done.',
    table(
      ['code', 'exit', ''],
      Object.entries(errorCatalogue).map(([name, { exitCode, explanation }]) => [
        code(name),
        String(exitCode),
        explanation,
      ]),
    ),
    '## Diagnostics',
    'Something wrong in the project, with its place.',
    table(
      ['code', ''],
      Object.entries(diagnosticCatalogue).map(([name, text]) => [code(name), text]),
    ),
    '## Defects of notebooks',
    'What `cellmill audit` finds.',
    table(
      ['code', 'level', ''],
      defectCodes.map((name) => [
        `[${code(name)}](#${name.toLowerCase()})`,
        levels[defects[name].level],
        defects[name].title,
      ]),
    ),
    ...defectCodes.map(defectSection),
  )
}

function defectSection(name: DefectCode): string {
  const { title, level, basis, meaning, computed, fix } = defects[name]
  return [
    `### ${name}`,
    `**${title}.** ${meaning}`,
    `- Level: ${levels[level]}; from ${bases[basis]}.\n- Found by: ${computed}\n- What is done: ${fix}`,
  ].join('\n\n')
}
