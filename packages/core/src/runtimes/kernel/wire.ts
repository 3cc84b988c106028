/**
 * Jupyter's wire protocol over zeromq: signed multipart messages. Invariant: a message whose signature does not match is
 * dropped, and no field of a message is trusted to be there, since user code in the kernel can send anything.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

const delimiter = '<IDS|MSG>'

export interface WireMessage {
  readonly type: string
  readonly id: string
  readonly parentId: string
  readonly content: Readonly<Record<string, unknown>>
}

export interface OutgoingMessage {
  readonly id: string
  readonly session: string
  readonly type: string
  readonly content: Readonly<Record<string, unknown>>
  readonly metadata: Readonly<Record<string, unknown>>
}

function sign(key: string, parts: readonly (string | Buffer)[]): string {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return mac.digest('hex')
}

export function encodeMessage(key: string, message: OutgoingMessage, date: string): string[] {
  const header = {
    msg_id: message.id,
    session: message.session,
    username: 'cellmill',
    date,
    msg_type: message.type,
    version: '5.3',
  }
  const parts = [header, {}, message.metadata, message.content].map((part) => JSON.stringify(part))
  return [delimiter, sign(key, parts), ...parts]
}

/** Null for anything that is not a well-formed message signed with `key`. */
export function decodeMessage(key: string, frames: readonly Buffer[]): WireMessage | null {
  const start = frames.findIndex((frame) => frame.length === delimiter.length && frame.toString() === delimiter)
  const parts = frames.slice(start + 2, start + 6)
  const given = frames[start + 1]
  if (start < 0 || given === undefined || parts.length !== 4) return null
  const expected = Buffer.from(sign(key, parts))
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null
  const [header, parent, , content] = parts.map(parseObject)
  if (header === undefined || parent === undefined || content === undefined) return null
  return {
    type: textOf(header['msg_type']),
    id: textOf(header['msg_id']),
    parentId: textOf(parent['msg_id']),
    content,
  }
}

function parseObject(part: Buffer): Record<string, unknown> {
  try {
    return recordOf(JSON.parse(part.toString('utf8')))
  } catch {
    // A message that is no JSON says nothing; its sender gets no answer either.
    return {}
  }
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}
