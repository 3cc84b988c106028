/** `cellmill schema [COMMAND]`. */
import { CellmillError } from '@cellmill/core/errors.ts'
import { nearestName } from '@cellmill/core/model/nearest.ts'
import { z } from 'zod'
import { textArgument } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { answerSchemas } from '../schemas/answers.ts'

export async function handle(context: CommandContext): Promise<number> {
  const names = Object.keys(answerSchemas)
  const wanted = textArgument(context, 0)
  if (wanted === '') {
    if (context.output.json) context.output.writeJson(names)
    else context.output.writeData(`${names.join('\n')}\n`)
    return 0
  }
  const schema = answerSchemas[wanted]
  if (schema === undefined) {
    const near = nearestName(wanted, names)
    throw new CellmillError('UNKNOWN_NAME', `'${wanted}' has no schema`, {
      hint: near === null ? 'cellmill schema  lists all' : `did you mean '${near}'?`,
    })
  }
  context.output.writeJson(z.toJSONSchema(schema))
  return 0
}
