/** docs/reference/schemas: the JSON Schema of each command's answer, as `cellmill schema COMMAND` prints it. */
import { z } from 'zod'
import { answerSchemas } from '../../packages/cli/src/schemas/answers.ts'

export function schemaFiles(): readonly (readonly [string, string])[] {
  return Object.entries(answerSchemas).map(
    ([name, schema]) => [`schemas/${name}.json`, `${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n`] as const,
  )
}
