/**
 * What one cell showed, collected from iopub messages as a notebook front end would: streams joined, displays updated in
 * place, `clear_output` obeyed. Invariant: never holds more than `maxBytes`; what was cut is said, never silent.
 */
import type { Json } from '../../canonical.ts'
import { recordOf, textOf, type WireMessage } from './wire.ts'

export interface KernelOutput {
  readonly type: 'stream' | 'display' | 'result' | 'error'
  /** For streams `stdout` or `stderr`. */
  readonly stream: string | null
  /** MIME type to text or JSON. For errors: `text/plain` is the traceback. */
  readonly data: Readonly<Record<string, Json>>
  readonly metadata: Readonly<Record<string, Json>>
  readonly errorName: string | null
  readonly errorValue: string | null
}

interface Draft {
  type: KernelOutput['type']
  stream: string | null
  chunks: string[]
  data: Record<string, Json>
  metadata: Record<string, Json>
  errorName: string | null
  errorValue: string | null
  displayId: string | null
}

export class CellOutputs {
  readonly #maxBytes: number
  #drafts: Draft[] = []
  #clearNext = false
  #bytes = 0
  #cutBytes = 0
  /** Comm messages seen: widgets that may hold state outside the kernel's variables. */
  comms = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes that were not kept because the cell showed more than the limit. */
  get cutBytes(): number {
    return this.#cutBytes
  }

  take(message: WireMessage): void {
    const { content } = message
    switch (message.type) {
      case 'stream':
        return this.#stream(textOf(content['name']) === 'stderr' ? 'stderr' : 'stdout', textOf(content['text']))
      case 'display_data':
      case 'execute_result':
        return this.#display(message.type === 'execute_result' ? 'result' : 'display', content)
      case 'update_display_data':
        return this.#update(content)
      case 'clear_output':
        if (content['wait'] === true) this.#clearNext = true
        else this.#clear()
        return
      case 'error':
        return this.#error(content)
      case 'comm_open':
      case 'comm_msg':
        this.comms += 1
    }
  }

  #update(content: Readonly<Record<string, unknown>>): void {
    const id = displayIdOf(content)
    for (const draft of this.#drafts) {
      if (id !== null && draft.displayId === id) {
        draft.data = recordOf(content['data']) as Record<string, Json>
        draft.metadata = recordOf(content['metadata']) as Record<string, Json>
      }
    }
  }

  finish(): readonly KernelOutput[] {
    return this.#drafts.map(({ type, stream, chunks, data, metadata, errorName, errorValue }) => {
      const shown = type === 'stream' ? { 'text/plain': chunks.join('') } : data
      return { type, stream, data: shown, metadata, errorName, errorValue }
    })
  }

  #clear(): void {
    this.#drafts = []
    this.#bytes = 0
    this.#clearNext = false
  }

  #room(size: number): boolean {
    if (this.#clearNext) this.#clear()
    if (this.#bytes + size > this.#maxBytes) {
      this.#cutBytes += size
      return false
    }
    this.#bytes += size
    return true
  }

  #stream(name: string, text: string): void {
    if (!this.#room(Buffer.byteLength(text))) return
    const last = this.#drafts.at(-1)
    if (last !== undefined && last.type === 'stream' && last.stream === name) last.chunks.push(text)
    else this.#drafts.push({ ...emptyDraft('stream'), stream: name, chunks: [text] })
  }

  #display(type: 'display' | 'result', content: Readonly<Record<string, unknown>>): void {
    const data = recordOf(content['data']) as Record<string, Json>
    if (!this.#room(JSON.stringify(data).length)) return
    const metadata = recordOf(content['metadata']) as Record<string, Json>
    this.#drafts.push({ ...emptyDraft(type), data, metadata, displayId: displayIdOf(content) })
  }

  #error(content: Readonly<Record<string, unknown>>): void {
    const lines = Array.isArray(content['traceback']) ? content['traceback'].map(textOf) : []
    const traceback = lines.join('\n')
    // An error is always kept: without it nobody learns why the cell stopped.
    this.#room(traceback.length)
    this.#drafts.push({
      ...emptyDraft('error'),
      data: { 'text/plain': traceback.slice(0, 1_000_000) },
      errorName: textOf(content['ename']),
      errorValue: textOf(content['evalue']).slice(0, 100_000),
    })
  }
}

function emptyDraft(type: KernelOutput['type']): Draft {
  return { type, stream: null, chunks: [], data: {}, metadata: {}, errorName: null, errorValue: null, displayId: null }
}

function displayIdOf(content: Readonly<Record<string, unknown>>): string | null {
  return textOf(recordOf(content['transient'])['display_id']) || null
}
