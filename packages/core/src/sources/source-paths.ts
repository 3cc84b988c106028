/**
 * From a file source to the sorted list of files it names now, with a cheap version of each. Paths stay below the
 * project unless the configuration gave an absolute one.
 */
import { globSync, statSync } from 'node:fs'
import path from 'node:path'
import { CellmillError } from '../errors.ts'
import type { FileSource } from '../model/project.ts'

export interface SourceFile {
  /** Path that the author's code sees, with forward slashes: relative to the project, or the name for an outside file. */
  readonly seenAs: string
  readonly absolute: string
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  readonly inode: bigint
}

/** Throws SOURCE_MISSING when nothing is there. */
export function sourceFiles(root: string, source: FileSource, location: string): readonly SourceFile[] {
  const pattern = path.isAbsolute(location) ? location : path.join(root, location)
  const found = source.isGlob ? globSync(pattern).sort() : [pattern]
  const files = found.flatMap((absolute) => {
    const stat = statSync(absolute, { bigint: true, throwIfNoEntry: false })
    if (!stat?.isFile()) return []
    const inside = path.relative(root, absolute)
    const seenAs = inside.startsWith('..') || path.isAbsolute(inside) ? path.basename(absolute) : inside
    return [
      {
        seenAs: seenAs.split(path.sep).join('/'),
        absolute,
        sizeBytes: Number(stat.size),
        mtimeNs: stat.mtimeNs,
        inode: stat.ino,
      },
    ]
  })
  if (files.length > 0) return files
  const isFolder = !source.isGlob && statSync(pattern, { throwIfNoEntry: false })?.isDirectory() === true
  throw new CellmillError(
    'SOURCE_MISSING',
    isFolder
      ? `source '${source.name}' names a folder: ${location}`
      : `source '${source.name}': ${source.isGlob ? 'no file matches' : 'there is no file'} ${location}`,
    {
      hint: isFolder
        ? `write a glob, such as ${location.replace(/\/$/, '')}/*.csv`
        : `put the file there, or change '${source.name}' in cellmill.config.ts`,
      details: { source: source.name, path: location },
    },
  )
}

/** One text for the whole set; equal text means that nobody touched the files, but see `isRacy`. */
export function versionOf(files: readonly SourceFile[]): string {
  return files.map((file) => [file.seenAs, file.sizeBytes, file.mtimeNs, file.inode].join('|')).join('\n')
}

/** Git's racy rule: a file changed within two seconds before it was observed may change again without a new mtime. */
export function isRacy(files: readonly SourceFile[], observedAt: string): boolean {
  const observedNs = BigInt(Date.parse(observedAt)) * 1_000_000n
  return files.some((file) => file.mtimeNs > observedNs - 2_000_000_000n)
}
