/** Real notebooks of Debian's documentation packages, found at test time; none is ever copied into this repository. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'

const PACKAGES = ['python-sklearn-doc', 'python-statsmodels-doc', 'python-skimage-doc']

/** Paths, possibly ending in `.gz`; empty where the packages are not installed. */
export function collectNotebooks(): readonly string[] {
  const paths: string[] = []
  for (const name of PACKAGES) {
    try {
      const listed = execFileSync('dpkg', ['-L', name], {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      paths.push(...listed.split('\n').filter((path) => /\.ipynb(\.gz)?$/.test(path)))
    } catch {
      // Not Debian, or the package is not installed: fewer notebooks.
    }
  }
  return paths.sort()
}

export function notebookText(path: string): string {
  const bytes = readFileSync(path)
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}

const sampleSize = 40
const fewestCells = 4
/** What `test/packages` installs and these notebooks import, beside the standard library. */
const installed = /^(?:sklearn|statsmodels|pandas|numpy|scipy|matplotlib|mpl_toolkits|seaborn|patsy|joblib|IPython)$/
const standard =
  /^(?:__future__|math|sys|time|functools|re|collections|itertools|gc|pprint|datetime|os|warnings|pathlib|tempfile|shutil|io|string|random|copy|operator|textwrap|timeit)$/
const network = /\bfetch_\w+|get_rdataset|urllib|urlopen|https?:\/\/[^\s'"]*\.(?:csv|txt|dat|zip|json|dta)\b|datareader/

/**
 * Spread over all by position: of those with several cells of code that need neither a network nor packages beside
 * those the tests install, as their text says, every so-many-th by name. Nobody picks.
 */
export function sampleNotebooks(): readonly string[] {
  const byName = new Map(collectNotebooks().map((file) => [path.basename(file, '.gz'), file]))
  const fit = [...byName]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, file]) => file)
    .filter((file) => isRunnable(codeCells(notebookText(file))))
  const size = Math.min(sampleSize, fit.length)
  return Array.from({ length: size }, (_, i) => fit[Math.floor((i * fit.length) / size)]!)
}

/** Sources of the code cells that hold something. */
export function codeCells(text: string): readonly string[] {
  return notebookCells(text)
    .filter(({ cell_type: kind }) => kind === 'code')
    .map(({ source }) => [source].flat().join(''))
    .filter((source) => source.trim() !== '')
}

interface CellText {
  readonly cell_type: string
  readonly source: string | readonly string[]
}

export function notebookCells(text: string): readonly CellText[] {
  return (JSON.parse(text) as { readonly cells: readonly CellText[] }).cells
}

function isRunnable(cells: readonly string[]): boolean {
  const code = cells.join('\n')
  const imports = [...code.matchAll(/^\s*(?:from|import)\s+(\w+)/gm)].map((match) => match[1]!)
  return (
    cells.length >= fewestCells &&
    !network.test(code) &&
    imports.every((name) => installed.test(name) || standard.test(name))
  )
}
