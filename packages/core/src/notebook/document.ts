/** A notebook as read from disk, any nbformat, normalised to one shape. Untrusted: text only, nothing is executed. */
import type { Json } from '../canonical.ts'

export interface NotebookOutput {
  readonly type: 'stream' | 'display' | 'result' | 'error'
  /** For streams `stdout` or `stderr`. */
  readonly stream: string | null
  /** MIME type to text (joined) or JSON. For errors: `text/plain` is the traceback. */
  readonly data: Readonly<Record<string, Json>>
  /** Class name of a stored error. */
  readonly errorName: string | null
  readonly errorValue: string | null
  /** True when a value was longer than `MAX_OUTPUT_CHARACTERS` and only its beginning is here. */
  readonly cut?: boolean
  /** Characters in the file, where `cut`. */
  readonly characters?: number
}

export interface NotebookCell {
  /** 0-based index in the file's cell list; what findings name. */
  readonly index: number
  readonly id: string | null
  readonly type: 'code' | 'markdown' | 'raw'
  readonly source: string
  readonly tags: readonly string[]
  readonly executionCount: number | null
  readonly outputs: readonly NotebookOutput[]
}

export interface NotebookDocument {
  /** Relative to the project where there is one, else as given. */
  readonly path: string
  /** sha256 of the file's bytes. */
  readonly digest: string
  readonly nbformat: number
  /** `python`, `r`, `julia`, `typescript`, ...; from kernelspec and language_info, lower case. */
  readonly language: string
  readonly kernelName: string | null
  readonly languageVersion: string | null
  /** What `language_info` says, where it differs from `language`: the notebook was saved by another kernel. */
  readonly savedLanguage?: string
  readonly cells: readonly NotebookCell[]
  readonly sizeBytes: number
}
