/** What every part of the validation has at hand: the project's root, places of keys, and where to report problems. */
import path from 'node:path'
import type { KeyLocator } from './locate-key.ts'

export interface ConfigContext {
  readonly root: string
  readonly locate: KeyLocator
}

export type Report = (at: readonly PropertyKey[], message: string, fix: string, code?: 'D004' | 'D014') => void

/** True for absolute paths and for those that climb out of the project. */
export function escapes(location: string): boolean {
  const plain = location.replaceAll('\\', '/')
  return path.posix.isAbsolute(plain) || /^[A-Za-z]:/.test(plain) || plain.split('/').includes('..')
}
