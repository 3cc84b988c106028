/** The child that parses one large notebook under its own memory limit: `read-worker PATH DISPLAY_PATH MAX_BYTES`. */
import { CellmillError } from '../../errors.ts'
import { parseBytes, readBytes, type ChildAnswer } from './read-notebook.ts'

async function answer(path: string, displayPath: string, maxBytes: number): Promise<ChildAnswer> {
  try {
    return { ok: true, document: parseBytes(await readBytes(path, maxBytes, displayPath), displayPath) }
  } catch (error) {
    if (!(error instanceof CellmillError)) throw error
    return { ok: false, message: error.message, hint: error.hint ?? null, details: error.details }
  }
}

const [path = '', displayPath = '', maxBytes = '0'] = process.argv.slice(2)
process.stdout.write(JSON.stringify(await answer(path, displayPath, Number(maxBytes))))
