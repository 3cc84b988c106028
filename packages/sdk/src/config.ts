/** `defineConfig`: what `cellmill.config.ts` exports. The value is data only; it is validated when the project is loaded. */
import type { ParameterInput, VariableParameter } from './parameters.ts'
import type { SourceInput } from './sources.ts'

export interface EnvironmentInput {
  /** Values of project parameters, and of assets' own as `'asset.name'`. */
  readonly parameters?: Readonly<Record<string, string | number | boolean>>
  /** Other paths or addresses of sources: `{ orders: 'data/sample.csv' }`. */
  readonly sources?: Readonly<Record<string, string>>
  /** Environment whose results a new one starts from. */
  readonly base?: string
  /** Publish everything or nothing, or the largest consistent part. @default 'all' */
  readonly publishing?: 'all' | 'consistent'
  /** `require` refuses to run steps without isolation. @default 'require' for prod, else 'auto' */
  readonly sandbox?: 'require' | 'auto' | 'off'
  /** Refuse steps that read what they did not declare. @default false */
  readonly strict?: boolean
}

export interface ConfigInput {
  /** @default the folder's name */
  readonly name?: string
  readonly sources?: Readonly<Record<string, SourceInput>>
  readonly parameters?: Readonly<Record<string, ParameterInput | VariableParameter>>
  /** @default { dev: {}, prod: {} } */
  readonly environments?: Readonly<Record<string, EnvironmentInput>>
  /** Git branch to environment, such as `{ main: 'prod' }`. @default 'dev' for all */
  readonly branches?: Readonly<Record<string, string>>
  /** Folder of catalog and store, relative to the project. @default '.cellmill' of the main git worktree */
  readonly state?: string
  /** Steps under way at once. @default the number of processor cores */
  readonly parallel?: number
}

/**
 * The project's configuration, in `cellmill.config.ts`.
 *
 * @example
 * import { defineConfig, file } from '@cellmill/sdk'
 *
 * export default defineConfig({
 *   name: 'shop',
 *   sources: { orders: file('data/orders/*.csv') },
 *   parameters: { min_total: 0 },
 * })
 */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config
}
