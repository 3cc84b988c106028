/**
 * What of the machine's own files every sandboxed process may read: programs, libraries, and the configuration that they
 * cannot do without. Nothing in the list holds secrets or tells one machine's users from another's.
 */
import { readdirSync } from 'node:fs'
import path from 'node:path'

export const systemFolders: readonly string[] = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/nix/store',
  '/gnu/store',
]

const always = [
  '/etc/R',
  '/etc/alternatives',
  '/etc/crypto-policies',
  '/etc/fonts',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/pki/ca-trust/extracted',
  '/etc/pki/tls/certs',
  '/etc/ssl/certs',
  '/etc/ssl/openssl.cnf',
]
const withNetwork = ['/etc/gai.conf', '/etc/hosts', '/etc/nsswitch.conf', '/etc/resolv.conf', '/etc/services']

/** Below /etc; some are not on every machine. */
export function systemFiles(network: boolean): readonly string[] {
  return [...always, ...javaFolders(), ...(network ? withNetwork : [])]
}

/** Debian keeps the configuration of its Java in /etc. */
function javaFolders(): readonly string[] {
  return readdirSync('/etc')
    .filter((name) => /^java-[\w-]+$/.test(name))
    .map((name) => path.join('/etc', name))
}
