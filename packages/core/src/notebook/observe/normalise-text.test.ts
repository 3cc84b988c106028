import { expect, test } from 'vitest'
import { normaliseText } from './normalise-text.ts'

const escape = String.fromCharCode(27)

test.each([
  ['addresses', '<object at 0x7f3a2b1c9d00>', '<object at 0x…>'],
  ['shortened addresses', '<td>&lt;sklearn.tree...x7f911f10fde0&gt;</td>', '<td>&lt;sklearn.tree...…&gt;</td>'],
  ['colours', `${escape}[31mred${escape}[0m`, 'red'],
  ['line ends', 'a\r\nb\r\n', 'a\nb'],
  ['an overwritten progress line', 'step 1\rstep 2\rdone\nnext', 'done\nnext'],
  ['times', 'CPU times: user 3 ms, sys: 0 ns\nWall time: 4 ms', 'CPU times: …\nWall time: …'],
  ['temporary paths', 'wrote /tmp/tmpab12_x9k/out.csv', 'wrote <tmp>/out.csv'],
  ['files of cells', '/tmp/ipykernel_77/12345.py:2: UserWarning', '<cell>:2: UserWarning'],
  ['timeit', '12.3 µs ± 4 ns per loop (mean ± std. dev. of 7 runs, 100 loops each)', '<timing>'],
])('leaves out %s', (_, text, expected) => {
  const found = normaliseText(text)
  expect(found.text).toBe(expected)
  expect(found.excluded).not.toEqual([])
})

test.each([
  '0.1 + 0.2 = 0.30000000000000004',
  '0x1F is 31',
  '50% of 10',
  'a  b\n  c',
  '/tmp/results/out.csv',
  'T_max 3',
  '<range 1...100000>',
])('keeps %j as it is', (text) => {
  expect(normaliseText(text)).toEqual({ text, excluded: [] })
})

test('the run folder is known by a word, and random ids only count as ids in markup', () => {
  expect(normaliseText('/tmp/run-1/project/x', { '/tmp/run-1/project': '<project>' }).text).toBe('<project>/x')
  expect(normaliseText('T_a1b2c').text).toBe('T_a1b2c')
  expect(normaliseText('<style>#T_a1b2c_row0 {}</style>', {}, true).text).toBe('<style>#T_…_row0 {}</style>')
})
