/** Files that we start as processes: the same extension as the file that asks, so that it works from source and from dist. */
import { fileURLToPath } from 'node:url'

/** Absolute path of the module `relative` (without extension) beside the module at `importMetaUrl`. */
export function siblingModule(importMetaUrl: string, relative: string): string {
  const extension = importMetaUrl.endsWith('.ts') ? '.ts' : '.js'
  return fileURLToPath(new URL(relative + extension, importMetaUrl))
}

/** The folder that holds the Python package `cellmill`: beside the packages in a checkout, inside core when published. */
export function pythonPackageRoot(): string {
  return fileURLToPath(new URL('../../../python', import.meta.url))
}
