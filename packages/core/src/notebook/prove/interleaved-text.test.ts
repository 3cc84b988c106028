/** Lines of several steps that together are what one cell printed. */
import { expect, it } from 'vitest'
import { isInterleaved } from './interleaved-text.ts'

it('finds lines of two steps in one text, in their order', () => {
  expect(isInterleaved('a\n1\nb\n2\n', ['a\nb', '1\n2'])).toBe(true)
  expect(isInterleaved('a\n\n1 \nb', ['a\nb', '\n1'])).toBe(true)
})

it('accepts no other order, and no line too many or too few', () => {
  expect(isInterleaved('b\n1\na', ['a\nb', '1'])).toBe(false)
  expect(isInterleaved('a\n1\nb', ['a\nb', '1\n2'])).toBe(false)
  expect(isInterleaved('a\n1\nb\nc', ['a\nb', '1'])).toBe(false)
  expect(isInterleaved('a\n1\nb', ['a\nb', '2'])).toBe(false)
})

it('tries every way to share out equal lines', () => {
  expect(isInterleaved('x\ny\nx\nx\nz', ['x\nx\nz', 'x\ny'])).toBe(true)
  expect(isInterleaved('x\nz\nx\nx\ny', ['x\nx\nz', 'x\ny'])).toBe(false)
})

it('says nothing of a single step', () => {
  expect(isInterleaved('a\nb', ['a\nb'])).toBe(false)
})
