/** The shape of `cellmill.config.ts` as a zod schema. Loaded only when a configuration is new; keys must match the SDK's types. */
import type { ConfigInput } from '@cellmill/sdk'
import { z } from 'zod'

const refresh = z.union([z.enum(['always', 'never']), z.string().regex(/^\d+(\.\d+)?\s*(ms|s|m|h|d|w)$/)])
const format = z.enum(['csv', 'parquet', 'json', 'other'])
const sqlTypes = z.record(z.string().min(1), z.string().regex(/^[\w ,()[\]"]+$/))
const character = z.string().length(1)

const csv = z.strictObject({
  delimiter: z.string().min(1).max(4).optional(),
  header: z.boolean().optional(),
  quote: z.string().max(1).optional(),
  escape: z.string().max(1).optional(),
  nullValues: z.array(z.string()).optional(),
  columns: sqlTypes.optional(),
  types: sqlTypes.optional(),
  dateFormat: z.string().optional(),
  timestampFormat: z.string().optional(),
  decimalSeparator: character.optional(),
  thousandsSeparator: character.optional(),
  skip: z.int().min(0).optional(),
  allText: z.boolean().optional(),
  unionByName: z.boolean().optional(),
  sampleSize: z.int().min(-1).optional(),
  encoding: z.enum(['utf-8', 'utf-16', 'latin-1']).optional(),
})
const json = z.strictObject({ layout: z.enum(['auto', 'lines', 'array']).optional(), columns: sqlTypes.optional() })

const described = { description: z.string().optional() }
const read = { format: format.optional(), csv: csv.optional(), json: json.optional(), ...described }
const location = z
  .string()
  .min(1)
  .regex(/^[^\0]*$/)

const source = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('file'),
    path: location,
    capture: z.boolean().optional(),
    outside: z.boolean().optional(),
    ...read,
  }),
  z.strictObject({
    type: z.literal('http'),
    url: z.url({ protocol: /^https?$/ }),
    refresh: refresh.optional(),
    ...read,
  }),
  z.strictObject({
    type: z.literal('sqlite'),
    path: location,
    query: z.string().min(1),
    outside: z.boolean().optional(),
    ...described,
  }),
])

const literal = z.union([z.string(), z.number(), z.boolean()])
const typed = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('int'), default: z.int() }),
  z.strictObject({ type: z.literal('float'), default: z.number() }),
  z.strictObject({ type: z.literal('bool'), default: z.boolean() }),
  z.strictObject({ type: z.literal('str'), default: z.string() }),
  z.strictObject({ type: z.literal('date'), default: z.iso.date() }),
])
const parameter = z.union([
  literal,
  typed,
  z.strictObject({ variable: z.string().regex(/^[A-Za-z_]\w*$/), fallback: z.union([literal, typed]) }),
])

const environment = z.strictObject({
  parameters: z.record(z.string(), literal).optional(),
  sources: z.record(z.string(), location).optional(),
  base: z.string().optional(),
  publishing: z.enum(['all', 'consistent']).optional(),
  sandbox: z.enum(['require', 'auto', 'off']).optional(),
  strict: z.boolean().optional(),
})

const config = z.strictObject({
  name: z.string().min(1).max(100).optional(),
  sources: z.record(z.string(), source).optional(),
  parameters: z.record(z.string(), parameter).optional(),
  environments: z.record(z.string(), environment).optional(),
  branches: z.record(z.string(), z.string()).optional(),
  state: location.optional(),
  parallel: z.int().min(1).max(1024).optional(),
})

/** The SDK's types say what is valid; the schema is only how that is checked. */
export const configSchema: z.ZodType<ConfigInput> = config as unknown as z.ZodType<ConfigInput>

/** What a person may have meant at a path, for "did you mean"; null where keys are free. */
export function knownKeys(path: readonly PropertyKey[], type: unknown): readonly string[] | null {
  const [section, , part] = path
  if (path.length === 0) return Object.keys(config.shape)
  if (section === 'environments' && path.length === 2) return Object.keys(environment.shape)
  if (section === 'sources' && path.length === 2) {
    const found = source.options.find((option) => option.shape.type.value === type)
    return found === undefined ? null : Object.keys(found.shape).filter((key) => key !== 'type')
  }
  if (section === 'sources' && path.length === 3) {
    if (part === 'csv') return Object.keys(csv.shape)
    if (part === 'json') return Object.keys(json.shape)
  }
  return null
}
