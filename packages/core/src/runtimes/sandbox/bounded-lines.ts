/**
 * Cuts a byte stream into lines without ever holding more than `maxLineBytes` of it. Node's readline keeps a whole line
 * in memory whatever its length, which lets a step exhaust the parent with one line. An over-long line is reported
 * once and skipped up to its newline; the lines after it are delivered as usual.
 */
const NEWLINE = 0x0a

export interface BoundedLinesOptions {
  readonly maxLineBytes: number
  readonly onLine: (line: string) => void
  /** Called once for a line over the cap, as soon as it passes it. */
  readonly onTooLong: () => void
}

export class BoundedLines {
  readonly #options: BoundedLinesOptions
  #held: Buffer[] = []
  #heldBytes = 0
  #skipping = false

  constructor(options: BoundedLinesOptions) {
    this.#options = options
  }

  push(chunk: Buffer): void {
    let start = 0
    while (start < chunk.length) {
      const newline = chunk.indexOf(NEWLINE, start)
      this.#take(chunk.subarray(start, newline === -1 ? chunk.length : newline))
      if (newline === -1) return
      this.#endLine()
      start = newline + 1
    }
  }

  /** The stream has ended: what is held is a last line without its newline. */
  end(): void {
    if (this.#heldBytes > 0) this.#endLine()
  }

  #take(part: Buffer): void {
    if (this.#skipping || part.length === 0) return
    if (this.#heldBytes + part.length > this.#options.maxLineBytes) {
      this.#skipping = true
      this.#held = []
      this.#heldBytes = 0
      this.#options.onTooLong()
      return
    }
    // Copied, since a slice would keep the whole chunk alive for as long as the line is unfinished.
    this.#held.push(Buffer.from(part))
    this.#heldBytes += part.length
  }

  #endLine(): void {
    const line = this.#skipping ? null : Buffer.concat(this.#held, this.#heldBytes).toString('utf8')
    this.#held = []
    this.#heldBytes = 0
    this.#skipping = false
    if (line !== null) this.#options.onLine(line)
  }
}
