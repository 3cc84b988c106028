/**
 * The three sockets of one kernel: shell and control for requests, iopub for what is shown. Invariant: linger is 0 and
 * queues are unbounded on our side, so that the process can exit and no output is dropped here.
 */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import type { KernelConnection } from './connection.ts'
import { decodeMessage, encodeMessage, type WireMessage } from './wire.ts'

export type Channel = 'shell' | 'control' | 'iopub'

interface Sender {
  send(frames: string[]): Promise<void>
  close(): void
}

export class KernelSockets {
  readonly #connection: KernelConnection
  readonly #clock: Clock
  readonly #session: string = randomUUID()
  readonly #senders = new Map<Channel, Sender>()
  readonly #onMessage: (channel: Channel, message: WireMessage) => void
  /** zeromq allows one send at a time on a socket. */
  #lastSend: Promise<void> = Promise.resolve()
  #count = 0
  #closed = false

  constructor(connection: KernelConnection, clock: Clock, onMessage: (channel: Channel, message: WireMessage) => void) {
    this.#connection = connection
    this.#clock = clock
    this.#onMessage = onMessage
  }

  async open(): Promise<void> {
    // Loaded here: the native module takes longer to load than most commands take to run.
    const { Dealer, Subscriber } = await import('zeromq')
    const common = { linger: 0, receiveHighWaterMark: 0, reconnectInterval: 20 }
    const shell = new Dealer({ ...common, sendHighWaterMark: 0 })
    const control = new Dealer({ ...common, sendHighWaterMark: 0 })
    const iopub = new Subscriber(common)
    iopub.subscribe()
    for (const [channel, socket] of [['shell', shell] as const, ['control', control] as const]) {
      socket.connect(this.#connection.address(channel))
      this.#senders.set(channel, socket)
      void this.#read(channel, socket)
    }
    iopub.connect(this.#connection.address('iopub'))
    this.#senders.set('iopub', { send: async () => {}, close: () => iopub.close() })
    void this.#read('iopub', iopub)
  }

  /** The id of the message, at once; it is sent in its turn. */
  send(
    channel: 'shell' | 'control',
    type: string,
    content: Readonly<Record<string, unknown>>,
    metadata: Readonly<Record<string, unknown>> = {},
  ): string {
    this.#count += 1
    const id = `${this.#session}-${this.#count}`
    const message = { id, session: this.#session, type, content, metadata }
    const frames = encodeMessage(this.#connection.key, message, this.#clock.now())
    this.#lastSend = this.#lastSend
      .then(async () => {
        if (!this.#closed) await this.#senders.get(channel)?.send(frames)
      })
      // A socket that cannot send belongs to a kernel that is gone, which its exit reports.
      .catch(() => {})
    return id
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const socket of this.#senders.values()) socket.close()
  }

  async #read(channel: Channel, socket: AsyncIterable<Buffer[]>): Promise<void> {
    try {
      for await (const frames of socket) {
        if (this.#closed) return
        const message = decodeMessage(this.#connection.key, frames)
        if (message !== null) this.#onMessage(channel, message)
      }
    } catch {
      // Closing a socket ends a pending read with an error; there is nothing left to read.
    }
  }
}
