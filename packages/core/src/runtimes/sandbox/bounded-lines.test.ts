/** The splitter between a step's bytes and our frames: same lines however the bytes arrive, and a hard cap on each. */
import { expect, test } from 'vitest'

import { BoundedLines } from './bounded-lines.ts'

function split(chunks: readonly Buffer[], maxLineBytes: number): string[] {
  const seen: string[] = []
  const lines = new BoundedLines({
    maxLineBytes,
    onLine: (line) => seen.push(`line:${line}`),
    onTooLong: () => seen.push('too long'),
  })
  for (const chunk of chunks) lines.push(chunk)
  lines.end()
  return seen
}

test('lines are the same wherever the chunks are cut, even inside a character', () => {
  const bytes = Buffer.from('one\n\nzwölf €\nlast')
  const expected = ['line:one', 'line:', 'line:zwölf €', 'line:last']
  for (let size = 1; size <= bytes.length; size += 1) {
    const chunks: Buffer[] = []
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
    expect(split(chunks, 100)).toEqual(expected)
  }
})

test('a line over the cap is reported once and the next line still arrives', () => {
  const chunks = [Buffer.from('abc'), Buffer.from('def'), Buffer.from('ghi\nok\n')]
  expect(split(chunks, 4)).toEqual(['too long', 'line:ok'])
})

test('a line of exactly the cap is delivered and one byte more is not', () => {
  expect(split([Buffer.from('abcd\n')], 4)).toEqual(['line:abcd'])
  expect(split([Buffer.from('abcde\n')], 4)).toEqual(['too long'])
})

test('an over-long last line without a newline is not delivered', () => {
  expect(split([Buffer.from('abcdef')], 4)).toEqual(['too long'])
})
