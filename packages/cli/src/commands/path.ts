/** `cellmill path ASSET`: the folder of its files. */
import { findSnapshot } from '@cellmill/core/operations/find-snapshot.ts'
import { textArgument, textOption } from '../command.ts'
import type { CommandContext } from '../command.ts'

export async function handle(context: CommandContext): Promise<number> {
  const workspace = await context.workspace()
  const found = await findSnapshot(workspace, {
    asset: textArgument(context, 0),
    environment: context.global.env,
    version: textOption(context, 'version'),
  })
  const { asset, environment, release, folder, files, snapshot } = found
  if (context.output.json)
    context.output.writeJson({ asset, environment, release, kind: snapshot.kind, codec: snapshot.codec, folder, files })
  else context.output.writeData(`${folder}\n`)
  return 0
}
