/** Real notebooks of Debian's documentation packages: all are read, and the mostly clean ones get no false alarms. */
import { describe, expect, it } from 'vitest'
import { auditNotebook } from '../../packages/core/src/notebook/audit/audit-notebook.ts'
import { loadFacts } from '../../packages/core/src/notebook/facts/load-facts.ts'
import { parseNotebook } from '../../packages/core/src/notebook/read/parse-notebook.ts'
import { openTools } from './audit-cells.ts'
import { collectNotebooks, notebookText } from './collect-notebooks.ts'

const paths = collectNotebooks()
/** Every one is read; every twentieth is audited, to keep the suite short. */
const sample = paths.filter((_, index) => index % 20 === 0)
/** These would stop a run, or are serious: published examples do not have them. */
const ALARMS = ['N02', 'N03', 'N20', 'N21', 'N24', 'N26', 'N32', 'N40', 'N48', 'N49', 'N55']

describe.skipIf(paths.length === 0)('real notebooks', () => {
  it('are all read', () => {
    for (const path of paths) {
      const document = parseNotebook(notebookText(path), { path })
      expect(document.cells.length, path).toBeGreaterThan(0)
      expect(document.language, path).toBe('python')
    }
  })

  it.each(sample.map((path) => [path.split('/').at(-1) ?? path, path]))(
    'audit of %s raises no false alarm',
    async (_name, path) => {
      const document = parseNotebook(notebookText(path), { path })
      const facts = await loadFacts(document, await openTools())
      const result = auditNotebook({ document, facts, projectRoot: null, files: null })
      expect(result.findings.filter(({ code }) => ALARMS.includes(code))).toEqual([])
      expect(result.notChecked).toContain('N21')
    },
  )
})
