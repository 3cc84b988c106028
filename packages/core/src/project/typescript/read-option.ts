/** One option of a TypeScript step from its literal to the model; `expected` says what it takes instead. */
import type { Json } from '../../canonical.ts'
import type { StepOptions } from '../../model/project.ts'
import { parseDurationMs, parseRefresh, parseSizeBytes } from '../quantities.ts'
import type { DescribedStep } from './read-steps.ts'

export type ReadOption =
  | { readonly expected: string }
  | { readonly options?: Partial<StepOptions>; readonly description?: DescribedStep }

export function readOption(key: string, value: Json): ReadOption {
  switch (key) {
    case 'name':
    case 'description':
      return typeof value === 'string' && value !== '' ? { description: { [key]: value } } : { expected: 'text' }
    case 'owner':
      return typeof value === 'string' ? { options: { owner: value } } : { expected: 'text' }
    case 'kind':
      return value === 'table' || value === 'object' || value === 'file'
        ? { description: { kind: value } }
        : { expected: "'table', 'object' or 'file'" }
    case 'severity':
      return value === 'error' || value === 'warn'
        ? { description: { severity: value } }
        : { expected: "'error' or 'warn'" }
    case 'random':
      return value === 'seeded' || value === 'fresh'
        ? { options: { random: value } }
        : { expected: "'seeded' or 'fresh'" }
    case 'outputs':
      return isTexts(value) && value.length > 0
        ? { description: { outputs: value } }
        : { expected: "names, such as ['train', 'test']" }
    case 'tags':
    case 'secrets':
      return isTexts(value)
        ? { options: { [key]: value } }
        : { expected: `names, such as ['${key === 'tags' ? 'daily' : 'API_KEY'}']` }
    case 'network':
      return readNetwork(value)
    case 'export':
      return readExport(value)
    case 'retries':
      return Number.isInteger(value) && Number(value) >= 0 && Number(value) < 100
        ? { options: { retries: Number(value) } }
        : { expected: 'a number of retries' }
    default:
      return readQuantity(key, value)
  }
}

function readNetwork(value: Json): ReadOption {
  if (typeof value === 'boolean') return { options: { network: value ? ['*'] : [] } }
  return isTexts(value)
    ? { options: { network: value } }
    : { expected: "hosts, such as ['api.example.org'], or true for any" }
}

function readExport(value: Json): ReadOption {
  const isBelow =
    typeof value === 'string' && value !== '' && !value.startsWith('/') && !value.split(/[/\\]/).includes('..')
  return isBelow ? { options: { export: value } } : { expected: 'a path below the project' }
}

function readQuantity(key: string, value: Json): ReadOption {
  const text = typeof value === 'string' ? value : ''
  if (key === 'refresh') {
    const refresh = parseRefresh(text)
    return refresh === null ? { expected: "'always', 'never' or a duration such as '1d'" } : { options: { refresh } }
  }
  if (key === 'timeout') {
    const timeoutMs = parseDurationMs(text)
    return timeoutMs === null ? { expected: "a duration such as '10m'" } : { options: { timeoutMs } }
  }
  const memoryBytes = parseSizeBytes(text)
  return memoryBytes === null ? { expected: "a size such as '2GB'" } : { options: { memoryBytes } }
}

function isTexts(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
