/**
 * The connection file of a kernel: unix sockets in a folder of their own that is bound into the sandbox, so that no port
 * is open and two kernels never meet. Invariant: the folder's path is short, since a socket's path has 107 bytes at most.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CellmillError } from '../../errors.ts'

const ports = { shell: 1, iopub: 2, stdin: 3, control: 4, hb: 5 } as const
const socketPathLimit = 100

export interface KernelConnection {
  readonly folder: string
  readonly file: string
  readonly key: string
  address(channel: 'shell' | 'iopub' | 'control'): string
  remove(): Promise<void>
}

export async function createConnection(): Promise<KernelConnection> {
  const folder = await createFolder()
  const prefix = join(folder, 's')
  const key = randomBytes(32).toString('hex')
  const file = join(folder, 'connection.json')
  const content = {
    transport: 'ipc',
    ip: prefix,
    key,
    signature_scheme: 'hmac-sha256',
    kernel_name: 'python3',
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [`${name}_port`, port])),
  }
  await writeFile(file, JSON.stringify(content), { mode: 0o600 })
  return {
    folder,
    file,
    key,
    address: (channel) => `ipc://${prefix}-${ports[channel]}`,
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

async function createFolder(): Promise<string> {
  const base = tmpdir()
  const root = join(base, 'cmk-XXXXXX', 's-1').length <= socketPathLimit ? base : '/tmp'
  try {
    return await mkdtemp(join(root, 'cmk-'))
  } catch (cause) {
    throw new CellmillError('KERNEL_FAILED', `No folder for the kernel's sockets could be made in ${root}.`, {
      hint: 'Set TMPDIR to a writable folder with a short path.',
      cause,
    })
  }
}
