/** The interpreter that tests run Python on: what `npm test` installed, else the checkout's `.venv`. */
import path from 'node:path'

export const testPython: string =
  process.env['CELLMILL_TEST_PYTHON'] ?? path.resolve(import.meta.dirname, '..', '.venv', 'bin', 'python')
