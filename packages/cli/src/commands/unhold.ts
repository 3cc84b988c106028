/** `cellmill unhold [ENV]`. */
import type { CommandContext } from '../command.ts'
import { setHold } from './set-hold.ts'

export async function handle(context: CommandContext): Promise<number> {
  return setHold(context, false)
}
