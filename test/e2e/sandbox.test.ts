/** Which walls a run has, and what a step cannot reach behind them. */
import { afterAll, describe, expect, it } from 'vitest'
import { TestProject } from '../support/project.ts'

const config = (sandbox: string): string => `import { defineConfig } from '@cellmill/sdk'
export default defineConfig({ name: 'walls', sources: {}, environments: { dev: { sandbox: '${sandbox}' } } })
`
const probe = `from cellmill import asset


@asset(refresh="never")
def reads() -> list:
    import os
    import socket
    found = []
    for path in ("/etc/passwd", "/root/.bashrc", os.path.expanduser("~/.ssh")):
        if os.path.exists(path):
            found.append(path)
    try:
        socket.create_connection(("127.0.0.1", 9), 1)
    except ConnectionRefusedError:
        found.append("network")
    except OSError:
        pass
    if os.environ.get("CANARY"):
        found.append("environment")
    return found
`

describe('the walls of a run', () => {
  const project = new TestProject({ 'cellmill.config.ts': config('auto'), 'assets/probe.py': probe })
  afterAll(() => project.remove())

  it('hides files, network and environment, or says that it cannot', async () => {
    project.env = { CANARY: 'yes' }
    const run = await project.run()
    const started = run.events.find(({ type }) => type === 'run-started')!
    if (started['sandbox'] === 'none') return
    expect(run.code).toBe(0)
    const shown = await project.json<{ summary: unknown; snapshot: { sizeBytes: number } }>('show', 'reads')
    const exported = await project.cli('export', 'reads', '--to', 'reads.pkl')
    expect(exported.code).toBe(0)
    expect(shown.snapshot.sizeBytes).toBeLessThan(10)
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
