/**
 * Walls by bubblewrap: own namespaces for everything, a root that holds only what was bound, no capabilities, no way to
 * make further namespaces, and a seccomp filter. Killing the wrapper ends the pid namespace, and with it every process.
 */
import type { ChildProcess } from 'node:child_process'
import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import type { Bind, Sandbox, SandboxSpec } from '../sandbox.ts'
import { supervise } from '../supervise.ts'
import { killGroup } from '../none/none-sandbox.ts'
import { seccompFile } from './seccomp.ts'

/** Descriptors that our own process inherited, whatever they are, end here: 0 to 2 and the control channel are all a step gets. */
const closeInherited = existsSync('/bin/bash')
  ? [
      '/bin/bash',
      '-c',
      'for f in /proc/self/fd/*; do n=${f##*/}; (( n > 3 )) && eval "exec $n>&-"; done; exec "$@"',
      'step',
    ]
  : []
const scratchBytes = 2 * 1024 ** 3
const sharedMemoryBytes = 512 * 1024 ** 2
const systemFolders = ['/usr', '/lib', '/lib64', '/lib32', '/bin', '/sbin']
const systemFiles = [
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/localtime',
  '/etc/fonts',
  '/etc/alternatives',
  '/etc/ssl',
  '/etc/ca-certificates',
  '/etc/pki',
]
const networkFiles = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf', '/etc/services']

export function bubblewrapSandbox(bwrap: string): Sandbox {
  return {
    level: 'bubblewrap',
    spawn: (spec, signal) => {
      const seccomp = seccompFile()
      try {
        const args = [
          ...wrapperArguments(spec, seccomp === null ? null : 4),
          ...limitArguments(spec),
          spec.command,
          ...spec.args,
        ]
        const extraFds = seccomp === null ? [] : [seccomp.fd]
        return supervise(spec, { command: bwrap, args, env: {}, cwd: null, extraFds, killTree: killWrapper }, signal)
      } finally {
        seccomp?.close()
      }
    },
    inside: (bind) => bind.target,
  }
}

/** The wrapper's death takes the namespace along; it leads the group that its launcher is in. */
function killWrapper(child: ChildProcess): void {
  killGroup(child)
}

function wrapperArguments(spec: SandboxSpec, seccompFd: number | null): readonly string[] {
  const args = [
    '--unshare-all',
    '--unshare-user',
    '--disable-userns',
    '--cap-drop',
    'ALL',
    '--new-session',
    '--die-with-parent',
  ]
  args.push('--uid', '10001', '--gid', '10001', '--hostname', 'cellmill', '--clearenv')
  if (spec.network) args.push('--share-net')
  for (const folder of systemFolders) args.push(...systemBind(folder))
  for (const file of [...systemFiles, ...(spec.network ? networkFiles : [])]) args.push('--ro-bind-try', file, file)
  args.push('--proc', '/proc', '--dev', '/dev')
  args.push(
    '--size',
    String(scratchBytes),
    '--tmpfs',
    '/tmp',
    '--size',
    String(sharedMemoryBytes),
    '--tmpfs',
    '/dev/shm',
  )
  for (const bind of outermostFirst(spec.binds))
    args.push(bind.writable ? '--bind' : '--ro-bind', bind.source, bind.target)
  args.push('--remount-ro', '/', '--chdir', spec.cwd)
  for (const [name, value] of Object.entries(spec.env)) args.push('--setenv', name, value)
  if (seccompFd !== null) args.push('--seccomp', String(seccompFd))
  return [...args, '--']
}

/** /lib and /bin are links into /usr on most systems, and must stay links. */
function systemBind(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return lstatSync(folder).isSymbolicLink()
    ? ['--symlink', readlinkSync(folder), folder]
    : ['--ro-bind', folder, folder]
}

/** A bind below another one must come after it, or it would be hidden. */
function outermostFirst(binds: readonly Bind[]): readonly Bind[] {
  return [...binds].sort((a, b) => a.target.length - b.target.length)
}

function limitArguments(spec: SandboxSpec): readonly string[] {
  const limits = ['--core=0', '--nofile=4096:4096']
  if (spec.cpuSeconds !== null) limits.push(`--cpu=${spec.cpuSeconds}`)
  if (spec.maxProcesses !== null) limits.push(`--nproc=${spec.maxProcesses}`)
  if (spec.maxFileBytes !== null) limits.push(`--fsize=${spec.maxFileBytes}`)
  return ['/usr/bin/prlimit', ...limits, '--', ...closeInherited]
}
