/**
 * Text as it is compared: without the parts that differ between two honest runs. The list is closed, and every part that
 * was left out is named, so that a reader knows what equality did not look at.
 */
export interface NormalisedText {
  readonly text: string
  readonly excluded: readonly string[]
}

interface Rule {
  readonly name: string
  readonly pattern: RegExp
  readonly replacement: string
}

const escape = String.fromCharCode(27)
const hexWord = '[0-9a-f]'

const rules: readonly Rule[] = [
  { name: 'ansi', pattern: new RegExp(`${escape}\\[[0-9;?]*[ -/]*[@-~]`, 'g'), replacement: '' },
  {
    name: 'ansi',
    pattern: new RegExp(`${escape}\\][^\\u0007${escape}]*(?:\\u0007|${escape}\\\\)`, 'g'),
    replacement: '',
  },
  { name: 'line ends', pattern: /\r\n/g, replacement: '\n' },
  { name: 'progress bar', pattern: /^.*\r(?!\n)(?=[^\n])/gm, replacement: '' },
  { name: 'progress bar', pattern: /^.*\d+%\|.*\|\s*\d+\/\d+ \[.*\]\s*$/gm, replacement: '<progress>' },
  { name: 'cell file', pattern: /(?:<tmp>|\/[^\s"'<>:]*)?\/ipykernel_\d+\/\d+\.py/g, replacement: '<cell>' },
  { name: 'cell file', pattern: /<ipython-input-\d+-[0-9a-f]+>/g, replacement: '<cell>' },
  {
    name: 'temporary path',
    pattern: /(?:\/private)?\/(?:tmp|var\/tmp|var\/folders\/[^\s"'<>]+?)\/tmp\w+/g,
    replacement: '<tmp>',
  },
  { name: 'address', pattern: /\b0x[0-9a-fA-F]{6,16}\b/g, replacement: '0x…' },
  // As a shortened `<Tree object at 0x7f911f10fde0>` shows it.
  { name: 'address', pattern: /(?<=\.\.\.)0?x[0-9a-f]{6,16}(?=>|&gt;)/g, replacement: '…' },
  { name: 'timing', pattern: /^CPU times: .*$/gm, replacement: 'CPU times: …' },
  { name: 'timing', pattern: /^Wall time: .*$/gm, replacement: 'Wall time: …' },
  { name: 'timing', pattern: /^.* (?:per loop|loops each|loop each).*$/gm, replacement: '<timing>' },
  { name: 'timing', pattern: /^The slowest run took .*$/gm, replacement: '' },
]

const markupRules: readonly Rule[] = [
  { name: 'random id', pattern: new RegExp(`\\bT_${hexWord}{5,}\\b`, 'g'), replacement: 'T_…' },
  { name: 'random id', pattern: new RegExp(`\\bT_${hexWord}{5,}(?=_)`, 'g'), replacement: 'T_…' },
  { name: 'random id', pattern: /\bsk-(container|estimator)-id-\d+/g, replacement: 'sk-$1-id-…' },
  {
    name: 'random id',
    pattern: new RegExp(`\\b${hexWord}{8}-(?:${hexWord}{4}-){3}${hexWord}{12}\\b`, 'g'),
    replacement: '…',
  },
  { name: 'random id', pattern: new RegExp(`\\b${hexWord}{32}\\b`, 'g'), replacement: '…' },
]

/** `places` are folders of the run, each with the word that stands for it; longer paths first. */
export function normaliseText(
  text: string,
  places: Readonly<Record<string, string>> = {},
  markup = false,
): NormalisedText {
  const excluded = new Set<string>()
  let result = text
  for (const [path, word] of Object.entries(places).sort(([a], [b]) => b.length - a.length)) {
    if (path !== '' && result.includes(path)) {
      result = result.replaceAll(path, word)
      excluded.add('run folder')
    }
  }
  for (const { name, pattern, replacement } of markup ? [...rules, ...markupRules] : rules) {
    const next = result.replace(pattern, replacement)
    if (next !== result) excluded.add(name)
    result = next
  }
  // Front ends keep or drop the newline at the end as they like.
  return { text: result.replace(/\s+$/, ''), excluded: [...excluded].sort() }
}
