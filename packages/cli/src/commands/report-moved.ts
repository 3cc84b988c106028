/** What publish and rollback say: what moved, what is not undone, and how to undo it. */
import type { Moved } from '@cellmill/core/operations/moved.ts'
import type { CommandContext } from '../command.ts'

export function reportMoved(context: CommandContext, moved: Moved, done: string): number {
  const { output } = context
  if (output.json) {
    output.writeJson(moved)
    return 0
  }
  const names = moved.moved.length === 0 ? 'nothing moves' : moved.moved.join(', ')
  if (moved.dryRun) {
    output.say(`would move in ${moved.environment}: ${names}`)
    return 0
  }
  output.say(`${moved.environment}: ${names}${moved.moved.length === 0 ? '' : ' (data kept, instant)'}`)
  if (moved.notUndone.length > 0) output.say(`not undone: what ${moved.notUndone.join(', ')} did outside`)
  if (moved.held)
    output.say(`held: runs build but do not publish until  cellmill unhold ${moved.environment}  or new code`)
  const undo = moved.from === 0 ? '' : `   undo: cellmill rollback ${moved.environment} --to ${moved.from}`
  output.sayAlways(`${done}${undo}`)
  return 0
}
