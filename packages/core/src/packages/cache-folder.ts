/** Where immutable things that projects share are kept: `$CELLMILL_CACHE`, else the user's cache folder. */
import { homedir } from 'node:os'
import path from 'node:path'

export function cacheFolder(): string {
  const { CELLMILL_CACHE: own, XDG_CACHE_HOME: shared } = process.env
  if (own !== undefined && own !== '') return path.resolve(own)
  return path.join(shared !== undefined && shared !== '' ? shared : path.join(homedir(), '.cache'), 'cellmill')
}
