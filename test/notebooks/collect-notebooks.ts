/** Real notebooks of Debian's documentation packages, found at test time; none is ever copied into this repository. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
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
