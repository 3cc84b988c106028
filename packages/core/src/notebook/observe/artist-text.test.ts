import { describe, expect, it } from 'vitest'
import { isArtistText } from './artist-text.ts'

describe('isArtistText', () => {
  it.each([
    '[<matplotlib.lines.Line2D at 0x…>]',
    "<Axes: title={'center': 'By day'}, xlabel='day'>",
    "Text(0.5, 1.0, 'It\\'s (late)')",
    '<BarContainer object of 3 artists>',
    'array([<Axes: >, <Axes: >], dtype=object)',
    '[<matplotlib.lines.Line2D at 0x…>,\n <matplotlib.lines.Line2D at 0x…>]',
    '<seaborn.axisgrid.FacetGrid at 0x…>',
  ])('holds for %s', (text) => expect(isArtistText(text)).toBe(true))

  it.each([
    '(0.0, 5.0)',
    '(array([1., 2.]), array([0. , 0.5]), <BarContainer object of 2 artists>)',
    '',
    '[]',
    "'Text'",
  ])('does not hold for %s', (text) => expect(isArtistText(text)).toBe(false))
})
