/** `init`: copies a template into a folder. Refuses before the first write when a file would be replaced. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CellmillError } from '../errors.ts'

export interface InitOptions {
  /** Folder that holds the template's files. */
  readonly template: string
  readonly folder: string
  readonly name: string
}

export interface Initialised {
  readonly folder: string
  readonly name: string
  readonly files: readonly string[]
}

export async function initProject(options: InitOptions): Promise<Initialised> {
  const files = (await filesBelow(options.template, '')).map((from) => ({
    from,
    to: from.replace(/(^|\/)gitignore$/, '$1.gitignore'),
  }))
  const taken = files.filter(({ to }) => existsSync(path.join(options.folder, to)))
  if (taken.length > 0) {
    throw new CellmillError(
      'FILE_EXISTS',
      `${taken[0]!.to} is there already${taken.length > 1 ? ` (and ${taken.length - 1} more)` : ''}`,
      {
        hint: 'choose an empty folder: cellmill init NAME',
        details: { files: taken.map(({ to }) => to) },
      },
    )
  }
  for (const { from, to } of files) {
    const target = path.join(options.folder, to)
    await mkdir(path.dirname(target), { recursive: true })
    const bytes = await readFile(path.join(options.template, from))
    await writeFile(target, from.endsWith('.ts') ? bytes.toString('utf8').replaceAll('{{name}}', options.name) : bytes)
  }
  return { folder: options.folder, name: options.name, files: files.map(({ to }) => to) }
}

async function filesBelow(root: string, below: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const entry of await readdir(path.join(root, below), { withFileTypes: true })) {
    const name = path.posix.join(below, entry.name)
    if (entry.isDirectory()) found.push(...(await filesBelow(root, name)))
    else found.push(name)
  }
  return found.sort()
}
