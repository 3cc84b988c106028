/** docs/reference/config.md: the keys of cellmill.config.ts, from the types and comments of the SDK. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { documentedTypes } from './documented-types.ts'
import type { DocumentedType } from './documented-types.ts'
import { code, page, table } from './markdown.ts'

const sdk = path.resolve(import.meta.dirname, '..', '..', 'packages', 'sdk', 'src')

const sections = [
  { type: 'ConfigInput', title: 'The configuration' },
  { type: 'EnvironmentInput', title: 'An environment' },
  { type: 'FileOptions', title: 'A source: `file(path, options)`' },
  { type: 'HttpOptions', title: 'A source: `http(url, options)`' },
  { type: 'SqliteOptions', title: 'A source: `sqlite(path, options)`' },
  { type: 'CsvOptions', title: '`csv`' },
  { type: 'JsonOptions', title: '`json`' },
] as const

const functions = ['defineConfig', 'file', 'http', 'sqlite', 'int', 'float', 'bool', 'str', 'date', 'fromEnv'] as const

export function configPage(): string {
  const documented = new Map(
    ['config.ts', 'sources.ts', 'parameters.ts'].flatMap((name) => [
      ...documentedTypes(name, readFileSync(path.join(sdk, name), 'utf8')),
    ]),
  )
  const named = (name: string): DocumentedType => {
    const found = documented.get(name)
    if (found === undefined) throw new Error(`the SDK exports no ${name}`)
    return found
  }
  const { doc, example } = named('defineConfig')
  return page(
    '# cellmill.config.ts',
    doc,
    `\`\`\`ts\n${example}\n\`\`\``,
    ...sections.flatMap(({ type, title }) => section(title, named(type))),
    '## Functions',
    table(
      ['function', ''],
      functions.map((name) => [code(name), named(name).doc]),
    ),
  )
}

function section(title: string, { doc, members }: DocumentedType): readonly string[] {
  const rows = members.map((member) => [
    `${code(member.name)}${member.isOptional ? '' : ' (required)'}`,
    code(member.type),
    member.byDefault === '' ? '' : member.byDefault,
    member.doc,
  ])
  return [`## ${title}`, ...(doc === '' ? [] : [doc]), table(['key', 'type', 'default', ''], rows)]
}
