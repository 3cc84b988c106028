/** `cellmill explain CODE`: needs no project. */
import { diagnosticCatalogue } from '@cellmill/core/diagnostic-codes.ts'
import { errorCatalogue } from '@cellmill/core/error-codes.ts'
import { CellmillError } from '@cellmill/core/errors.ts'
import { nearestName } from '@cellmill/core/model/nearest.ts'
import { defects } from '@cellmill/core/notebook/audit/defects.ts'
import { textArgument } from '../command.ts'
import type { CommandContext } from '../command.ts'

interface Explanation {
  readonly code: string
  readonly kind: 'error' | 'diagnostic' | 'defect'
  readonly title: string
  readonly explanation: string
}

export async function handle(context: CommandContext): Promise<number> {
  const all = explanations()
  const wanted = textArgument(context, 0).toUpperCase()
  if (wanted === '') {
    if (context.output.json) context.output.writeJson(all)
    else for (const { code, title } of all) context.output.writeData(`${code.padEnd(24)} ${title}\n`)
    return 0
  }
  const found = all.find(({ code }) => code === wanted)
  if (found === undefined) {
    const near = nearestName(
      wanted,
      all.map(({ code }) => code),
    )
    throw new CellmillError('UNKNOWN_NAME', `there is no code '${wanted}'`, {
      hint: near === null ? 'cellmill explain  lists all' : `did you mean '${near}'?`,
    })
  }
  if (context.output.json) context.output.writeJson(found)
  else context.output.writeData(`${found.code}  ${found.title}\n\n${found.explanation}\n`)
  return 0
}

export function explanations(): readonly Explanation[] {
  const errors = Object.entries(errorCatalogue).map(([code, { explanation, exitCode }]) => ({
    code,
    kind: 'error' as const,
    title: explanation.split('. ')[0] ?? '',
    explanation: `${explanation}\n\nExit code ${exitCode}.`,
  }))
  const diagnostics = Object.entries(diagnosticCatalogue).map(([code, text]) => ({
    code,
    kind: 'diagnostic' as const,
    title: text,
    explanation: text,
  }))
  const found = Object.values(defects).map(({ code, title, explanation }) => ({
    code,
    kind: 'defect' as const,
    title,
    explanation,
  }))
  return [...found, ...diagnostics, ...errors]
}
