/** Which walls a run has, and what a step cannot reach behind them. */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, it } from 'vitest'
import { TestProject } from '../support/project.ts'

const config = (sandbox: string): string => `import { defineConfig } from '@cellmill/sdk'
export default defineConfig({ name: 'walls', sources: {}, environments: { dev: { sandbox: '${sandbox}' } } })
`
const probe = `from cellmill import asset, param

PORT = param(0)


@asset(refresh="never")
def reads() -> list:
    import os
    import socket
    found = []
    for path in ("/root/.bashrc", os.path.expanduser("~/.ssh"), "/etc/shadow"):
        if os.path.exists(path):
            found.append(path)
    if len(open("/etc/passwd").readlines() if os.path.exists("/etc/passwd") else []) > 2:
        found.append("accounts")
    try:
        socket.create_connection(("127.0.0.1", PORT), 1)
        found.append("network")
    except OSError:
        pass
    if os.environ.get("CANARY"):
        found.append("environment")
    print("found", found)
    return found
`

describe('the walls of a run', () => {
  const project = new TestProject({ 'cellmill.config.ts': config('auto'), 'assets/probe.py': probe })
  afterAll(() => project.remove())

  it('hides files, network and environment, or says that it cannot', async () => {
    const server = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      project.env = { CANARY: 'yes' }
      const { port } = server.address() as AddressInfo
      const run = await project.run('--param', `port=${port}`)
      const walls = run.events.find(({ type }) => type === 'run-started')!['sandbox']
      expect(run.code).toBe(0)
      const { stdout } = await project.cli('logs', '@last', 'reads')
      // Landlock hides no account names, and without walls everything is there.
      if (walls === 'bubblewrap') expect(stdout).toContain('found []')
      else expect(stdout).not.toContain('environment')
    } finally {
      server.close()
    }
  })

  it('refuses to run where walls are required and there are none', async () => {
    project.write({ 'cellmill.config.ts': config('require') })
    project.env = { CELLMILL_SANDBOX_LEVEL: 'none' }
    const run = await project.run('--rebuild')
    const walls = run.events.find(({ type }) => type === 'run-started')?.['sandbox']
    expect(walls).not.toBe('none')
  })

  it('says on each run that there are no walls, and keeps no result of such a run for others', async () => {
    project.write({ 'cellmill.config.ts': config('off') })
    project.env = {}
    const said = await project.cli('run', '--rebuild')
    expect(said.stderr).toContain('no sandbox')
    const again = await project.run()
    expect(again.built).toEqual(['reads'])
  })
})
