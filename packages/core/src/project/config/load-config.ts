/**
 * `cellmill.config.ts` to a `ProjectConfig`. The answer is cached by the content of everything the configuration imported,
 * so that an unchanged one starts no process and loads neither zod nor oxc.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { sha256 } from '../../canonical.ts'
import type { Diagnostic, Place } from '../../diagnostics.ts'
import type { ProjectConfig } from '../../model/project.ts'
import { readCache, writeCache } from '../cache-file.ts'
import { configFile } from '../find-project.ts'
import { placeAt, topOf } from '../place.ts'
import type { ConfigAnswer } from './read-config.ts'

export interface LoadedConfig {
  readonly config: ProjectConfig
  readonly diagnostics: readonly Diagnostic[]
  /** Project-relative files that the configuration consists of, itself first. */
  readonly files: readonly string[]
  /** Content of each of `files`; null when it may have changed while it was read. */
  readonly digests: readonly string[] | null
}

interface CachedConfig extends LoadedConfig {
  readonly root: string
}

/** Kernels stamp files with a clock that moves in steps. */
const timestampStepMs = 20

export async function loadConfig(root: string, cacheFolder: string): Promise<LoadedConfig> {
  const cacheName = `config-${sha256(root).slice(0, 12)}.json`
  const cached = readCache<CachedConfig>(cacheFolder, cacheName)
  if (cached !== null && cached.root === root && isFresh(cached)) return cached
  const startedMs = Date.now()
  const file = path.join(root, configFile)
  const text = readFileSync(file, 'utf8')
  const { readConfig } = await import('./read-config.ts')
  const [{ checkStripping }, { validateConfig, emptyConfig }, { keyLocator }] = await Promise.all([
    import('../typescript/check-stripping.ts'),
    import('./validate-config.ts'),
    import('./locate-key.ts'),
  ])
  const syntax = checkStripping(configFile, text)
  if (syntax.length > 0) return { config: emptyConfig(root), diagnostics: syntax, files: [configFile], digests: null }
  const answer = await readConfig(file)
  const loaded = [...new Set([file, ...answer.loaded])]
  const files = loaded.map((loadedFile) => path.relative(root, loadedFile).split(path.sep).join('/'))
  if (!answer.ok) {
    return { config: emptyConfig(root), diagnostics: [failure(root, text, answer)], files, digests: null }
  }
  const validated = validateConfig(answer.value, { root, locate: keyLocator(configFile, text) })
  const digests = loaded.some((loadedFile) => isRecent(loadedFile, startedMs)) ? null : loaded.map(digestOfFile)
  const result = { ...validated, files, digests }
  if (digests !== null) writeCache(cacheFolder, cacheName, { ...result, root } satisfies CachedConfig)
  return result
}

/** Written to since we began, as far as time stamps tell: what ran may not be what is there now. */
function isRecent(file: string, startedMs: number): boolean {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat === undefined || stat.mtimeMs > startedMs - timestampStepMs
}

function isFresh(cached: CachedConfig): boolean {
  return cached.files.every((file, i) => digestOfFile(path.resolve(cached.root, file)) === cached.digests?.[i])
}

function digestOfFile(file: string): string {
  return existsSync(file) ? sha256(readFileSync(file)) : ''
}

function failure(root: string, text: string, answer: ConfigAnswer & { readonly ok: false }): Diagnostic {
  const firstLine = answer.message.split('\n')[0] ?? ''
  return {
    code: 'D004',
    severity: 'error',
    message: `the configuration cannot be read: ${firstLine.replaceAll(`${root}${path.sep}`, '')}`,
    at: placeFromStack(root, text, answer.stack),
    notes: [],
    fix: `correct ${configFile}; it is plain data, such as  export default defineConfig({ sources: {} })`,
  }
}

function placeFromStack(root: string, text: string, stack: string): Place {
  const frame = /file:\/\/([^\s():]+):(\d+):(\d+)/g
  for (const [, url, line, column] of stack.matchAll(frame)) {
    const file = decodeURIComponent(url!)
    if (!file.startsWith(root + path.sep) || file.includes('node_modules') || !existsSync(file)) continue
    const content = readFileSync(file, 'utf8')
    const before = content
      .split('\n')
      .slice(0, Number(line) - 1)
      .join('\n')
    const offset = (before === '' ? 0 : before.length + 1) + Number(column) - 1
    return placeAt(path.relative(root, file).split(path.sep).join('/'), content, offset, 1)
  }
  return topOf(configFile, text)
}
