/** Our own copy of `@cellmill/sdk`, which every project's import of it means: a project needs no node_modules for it. */
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Absolute path of the entry module; the source when we run from source, since node_modules cannot hold TypeScript. */
export function sdkEntry(): string {
  if (import.meta.url.endsWith('.ts')) return fileURLToPath(new URL('../../../sdk/src/index.ts', import.meta.url))
  return realpathSync(fileURLToPath(import.meta.resolve('@cellmill/sdk')))
}
