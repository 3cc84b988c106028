/** Sources from the configuration's words to what capturing and reading need: formats, DuckDB reader options, safe paths. */
import type { ConfigInput, FileSourceInput, SourceInput } from '@cellmill/sdk'
import type { Json } from '../../canonical.ts'
import type { Place } from '../../diagnostics.ts'
import type { FileSource, SourceDefinition } from '../../model/project.ts'
import { parseRefresh } from '../quantities.ts'
import { escapes } from './config-context.ts'
import type { ConfigContext, Report } from './config-context.ts'

const sourceName = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/

export function resolveSources(
  given: NonNullable<ConfigInput['sources']>,
  context: ConfigContext,
  report: Report,
): readonly SourceDefinition[] {
  return Object.entries(given).map(([name, source]) => {
    const at = ['sources', name]
    if (!sourceName.test(name)) {
      report(at, `'${name}' cannot be the name of a source`, 'use letters, digits and _, such as raw_orders', 'D014')
    }
    if (source.type !== 'http' && escapes(source.path) && source.outside !== true) {
      const fix = `move the data below the project, or write  outside: true  in its options`
      report(at, `the source '${name}' is outside the project: ${source.path}`, fix)
    }
    return resolveSource(name, source, context.locate(at))
  })
}

function resolveSource(name: string, source: SourceInput, place: Place): SourceDefinition {
  const base = { name, place, description: source.description ?? '' }
  switch (source.type) {
    case 'file': {
      const location = source.path.replaceAll('\\', '/').replace(/^(\.\/)+/, '')
      const isGlob = /[*?[{]/.test(location)
      const format = source.format ?? formatOf(location)
      return {
        ...base,
        type: 'file',
        path: location,
        isGlob,
        format,
        options: readerOptions(source, format),
        capture: source.capture ?? true,
      }
    }
    case 'http': {
      const format = source.format ?? formatOf(new URL(source.url).pathname)
      const refresh = parseRefresh(source.refresh ?? 'always') ?? { kind: 'always' }
      return { ...base, type: 'http', url: source.url, format, options: readerOptions(source, format), refresh }
    }
    case 'sqlite':
    default:
      return { ...base, type: 'sqlite', path: source.path, query: source.query }
  }
}

const formats: Readonly<Record<string, FileSource['format']>> = {
  csv: 'csv',
  tsv: 'csv',
  parquet: 'parquet',
  json: 'json',
  jsonl: 'json',
  ndjson: 'json',
}

function formatOf(location: string): FileSource['format'] {
  const extension = /\.(\w+)(?:\.(?:gz|zst))?$/.exec(location.toLowerCase())?.[1]
  return extension === undefined ? 'other' : (formats[extension] ?? 'other')
}

const csvNames: Readonly<Record<string, string>> = {
  delimiter: 'delim',
  header: 'header',
  quote: 'quote',
  escape: 'escape',
  nullValues: 'nullstr',
  columns: 'columns',
  types: 'types',
  dateFormat: 'dateformat',
  timestampFormat: 'timestampformat',
  decimalSeparator: 'decimal_separator',
  thousandsSeparator: 'thousands',
  skip: 'skip',
  allText: 'all_varchar',
  unionByName: 'union_by_name',
  sampleSize: 'sample_size',
  encoding: 'encoding',
}
const jsonLayouts = { auto: 'auto', lines: 'newline_delimited', array: 'array' } as const

/** Named arguments of DuckDB's reader for the format. */
function readerOptions(
  source: Pick<FileSourceInput, 'csv' | 'json'>,
  format: FileSource['format'],
): Readonly<Record<string, Json>> {
  if (format === 'csv') {
    const given = Object.entries(source.csv ?? {}).filter(([, value]) => value !== undefined)
    return Object.fromEntries(given.map(([key, value]) => [csvNames[key]!, value as Json]))
  }
  if (format !== 'json' || source.json === undefined) return {}
  const { layout, columns } = source.json
  return {
    ...(layout === undefined ? {} : { format: jsonLayouts[layout] }),
    ...(columns === undefined ? {} : { columns }),
  }
}
