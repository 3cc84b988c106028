/**
 * What a bubblewrapped process sees, as bwrap's arguments: the system's programs and libraries read-only, small private
 * /tmp and /dev/shm, and what was bound. Invariant: nothing is writable but the bound folders and those two. The
 * arguments go to bwrap by descriptor, since the environment in them may hold secrets and everyone can read a command line.
 */
import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs'
import path from 'node:path'
import type { Bind, SandboxSpec } from '../sandbox.ts'
import { systemFiles, systemFolders } from '../system-files.ts'

export interface Descriptors {
  /** Null on architectures without a filter. */
  readonly seccomp: number | null
  readonly passwd: number
  /** Null where the host's own file is seen, with the network. */
  readonly hosts: number | null
  readonly info: number
}

const insideId = '10001'
const hostName = 'step'
const scratchBytes = 512 * 1024 ** 2

export const passwdText: string = `step:x:${insideId}:${insideId}:step:/tmp:/bin/sh\n`
export const hostsText: string = `127.0.0.1 localhost ${hostName}\n::1 localhost\n`

export function profileArguments(spec: SandboxSpec, descriptors: Descriptors): readonly string[] {
  const { passwd, hosts, seccomp, info } = descriptors
  const size = String(scratchBytes)
  return [
    namespaces(spec),
    systemBinds(spec),
    ['--ro-bind-data', String(passwd), '/etc/passwd'],
    hosts === null ? [] : ['--ro-bind-data', String(hosts), '/etc/hosts'],
    ['--proc', '/proc', '--dev', '/dev'],
    ['--size', size, '--tmpfs', '/dev/shm', '--remount-ro', '/dev', '--size', size, '--tmpfs', '/tmp'],
    ...outermostFirst(spec.binds).map(({ source, target, writable }) => [
      writable ? '--bind' : '--ro-bind',
      source,
      target,
    ]),
    ['--remount-ro', '/', '--chdir', spec.cwd],
    ...Object.entries(spec.env).map(([name, value]) => ['--setenv', name, value]),
    seccomp === null ? [] : ['--seccomp', String(seccomp)],
    ['--info-fd', String(info)],
  ].flat()
}

function namespaces({ network }: SandboxSpec): readonly string[] {
  return [
    ['--unshare-all', '--unshare-user', '--uid', insideId, '--gid', insideId, '--disable-userns'],
    ['--cap-drop', 'ALL', '--new-session', '--die-with-parent', '--hostname', hostName, '--clearenv'],
    network ? ['--share-net'] : [],
  ].flat()
}

function systemBinds({ network }: SandboxSpec): readonly string[] {
  return [...systemFolders.flatMap(systemFolder), ...systemFiles(network).flatMap(systemFile)]
}

/** Links such as /lib must stay links, or a library would be found under two names. */
function systemFolder(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return lstatSync(folder).isSymbolicLink()
    ? ['--symlink', readlinkSync(folder), folder]
    : ['--ro-bind', folder, folder]
}

/** A link's target may be in a folder that is not seen inside (/etc/resolv.conf in /run). */
function systemFile(file: string): readonly string[] {
  return existsSync(file) ? ['--ro-bind', realpathSync(file), file] : []
}

/** A bind below another one comes after it, or it would be hidden. Of two with one target the writable one counts. */
function outermostFirst(binds: readonly Bind[]): readonly Bind[] {
  const byTarget = new Map<string, Bind>()
  for (const bind of binds) {
    const target = path.resolve(bind.target)
    if (byTarget.get(target)?.writable === true) continue
    byTarget.set(target, { ...bind, target })
  }
  return [...byTarget.values()].sort((a, b) => depth(a.target) - depth(b.target))
}

function depth(target: string): number {
  return target.split('/').length
}
