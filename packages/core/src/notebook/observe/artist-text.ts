/**
 * Whether a text is nothing but the names of parts of a figure, as `plt.plot(x)` at the end of a cell shows them. Where
 * the figure stands beside it, the figure says more. Numbers beside the parts (`plt.hist`) make it a text like any other.
 */
const PART = /<[^<>]*(?:matplotlib|seaborn|Axes|Figure|Container|[Aa]rtists?|Annotation)[^<>]*>/g
const NUMBER = String.raw`-?[\d.]+(?:e[+-]?\d+)?`
const LABEL = String.raw`'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"`
const TEXT = new RegExp(String.raw`\bText\(${NUMBER}, ${NUMBER}, (?:${LABEL})\)`, 'g')

export function isArtistText(text: string): boolean {
  const rest = text.replaceAll(PART, '#').replaceAll(TEXT, '#')
  return rest.includes('#') && /^[\s#[\](),]*$/.test(rest.replaceAll(/\barray\(|\bdtype=object\b/g, ''))
}
