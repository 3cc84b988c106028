/** What an import means in a project, by Node's own rules: relative paths with their extension, builtins, packages. */
import { isBuiltin } from 'node:module'
import path from 'node:path'
import type { ImportTarget } from '../../fingerprint/typescript/facts.ts'
import { nearestName } from '../../model/nearest.ts'
import type { ProjectFiles } from '../python/python-files.ts'
import { sdkModule } from './module-facts.ts'

export interface ResolvedImport {
  readonly target: ImportTarget
  /** Null when all is well. */
  readonly problem: { readonly message: string; readonly fix: string } | null
}

const moduleExtension = /\.(ts|mts|js|mjs)$/

export function resolveImport(files: ProjectFiles, from: string, specifier: string): ResolvedImport {
  const good = (target: ImportTarget): ResolvedImport => ({ target, problem: null })
  const bad = (message: string, fix: string): ResolvedImport => ({
    target: { type: 'missing' },
    problem: { message, fix },
  })
  if (specifier === sdkModule) return good({ type: 'sdk' })
  if (isBuiltin(specifier)) return good({ type: 'builtin', name: specifier.replace(/^node:/, '') })
  if (/^(https?|data|file):/.test(specifier)) {
    return bad(
      `Node cannot import '${specifier.slice(0, 40)}' here`,
      'save the module in the project, or install it as a package',
    )
  }
  if (!/^\.{1,2}(\/|$)/.test(specifier)) {
    if (specifier.startsWith('/')) return bad(`'${specifier}' is an absolute path`, 'write it relative to this file')
    return good({ type: 'package', name: packageName(specifier) })
  }
  const file = path.posix.normalize(path.posix.join(path.posix.dirname(from), specifier))
  if (file.startsWith('../')) return bad(`'${specifier}' is outside the project`, 'move the module into the project')
  if (files.hasFile(file)) return good({ type: moduleExtension.test(file) ? 'module' : 'data', file })
  return bad(`there is no file '${specifier}'`, missingFix(files, file, specifier))
}

/** Node wants the file's own name: with its extension, and `.ts` where the file is TypeScript. */
function missingFix(files: ProjectFiles, file: string, specifier: string): string {
  const bare = file.replace(moduleExtension, '')
  const written = specifier.replace(moduleExtension, '')
  for (const extension of ['.ts', '.mts', '.js', '.mjs', '.json']) {
    if (files.hasFile(bare + extension)) return `write '${written}${extension}'`
    if (files.hasFile(`${bare}/index${extension}`)) return `write '${written}/index${extension}'`
  }
  const beside = (files.below(path.posix.dirname(file) === '.' ? '' : path.posix.dirname(file)) ?? []).filter((other) =>
    moduleExtension.test(other),
  )
  const near = nearestName(
    bare,
    beside.map((other) => other.replace(moduleExtension, '')),
  )
  const match = near === null ? undefined : beside.find((other) => other.replace(moduleExtension, '') === near)
  return match === undefined
    ? 'correct the path'
    : `did you mean '${written.slice(0, written.lastIndexOf('/') + 1)}${path.posix.basename(match)}'?`
}

export function packageName(specifier: string): string {
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]!
}
