/** Every file below a folder, relative and sorted; nested node_modules and git's folder left out. */
import { readdirSync } from 'node:fs'
import path from 'node:path'

export function listFiles(folder: string): readonly string[] {
  const found: string[] = []
  const queue = ['']
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (const entry of readdirSync(path.join(folder, at), { withFileTypes: true })) {
      if (entry.name === 'node_modules' || entry.name === '.git') continue
      const name = at === '' ? entry.name : `${at}/${entry.name}`
      if (entry.isDirectory()) queue.push(name)
      else if (entry.isFile()) found.push(name)
    }
  }
  return found.sort()
}
