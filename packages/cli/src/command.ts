/** The shape of a command: one row of the table in command-table.ts, and one lazily loaded handler in commands/. */
import type { Workspace } from '@cellmill/core/operations/workspace.ts'
import type { Output } from './output/output.ts'

export interface ArgumentSpec {
  /** `<asset>`, `[select...]`: angle brackets are required, dots repeat. */
  readonly name: string
  readonly description: string
}

export interface OptionSpec {
  /** `--to <file>`, `-m, --message <text>`. */
  readonly flags: string
  readonly description: string
  /** Given several times, the values are collected. */
  readonly repeatable?: boolean
}

export interface CommandSpec {
  readonly name: string
  readonly summary: string
  /** What it promises, in a few sentences, for the reference. */
  readonly description: string
  readonly arguments: readonly ArgumentSpec[]
  readonly options: readonly OptionSpec[]
  readonly examples: readonly string[]
  /** False for commands whose output is no JSON object. */
  readonly json: boolean
  readonly load: () => Promise<CommandModule>
}

export interface CommandModule {
  /** The exit code. */
  readonly handle: (context: CommandContext) => Promise<number>
}

export interface GlobalOptions {
  readonly json: boolean
  readonly project: string | null
  readonly env: string | null
  readonly verbose: number
  readonly quiet: boolean
}

export interface CommandContext {
  readonly arguments: readonly (string | readonly string[] | undefined)[]
  /** Options by their long name in camel case. */
  readonly options: Readonly<Record<string, unknown>>
  readonly global: GlobalOptions
  readonly output: Output
  readonly cwd: string
  readonly signal: AbortSignal
  /** Throws PROJECT_NOT_FOUND. Closed by the caller. */
  readonly workspace: () => Promise<Workspace>
}

export function textArgument(context: CommandContext, index: number): string {
  const value = context.arguments[index]
  return typeof value === 'string' ? value : ''
}

export function listArgument(context: CommandContext, index: number): readonly string[] {
  const value = context.arguments[index]
  return Array.isArray(value) ? (value as readonly string[]) : []
}

export function textOption(context: CommandContext, name: string): string | null {
  const value = context.options[name]
  return typeof value === 'string' ? value : null
}

export function flagOption(context: CommandContext, name: string): boolean {
  return context.options[name] === true
}

export function listOption(context: CommandContext, name: string): readonly string[] {
  const value = context.options[name]
  return Array.isArray(value) ? (value as readonly string[]) : []
}
