/** How one folder of assets sees the project: its own folder is on the path of its assets, after the root. */
import type { TopLevels } from './effects.ts'
import type { Names } from './names.ts'

export interface View {
  readonly folder: string
  readonly names: Names
  readonly topLevels: TopLevels
}

/** `lib.clean` below the root, `.clean` beside the asset: moving a folder of assets changes nothing. */
export function labelIn(folder: string, file: string): string {
  const inside = folder !== '' && file.startsWith(`${folder}/`)
  const name = (inside ? file.slice(folder.length) : file).replace(/\.py$/, '').replace(/\/?__init__$/, '')
  return name.replaceAll('/', '.') || '__init__'
}
