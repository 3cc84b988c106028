import { describe, expect, it } from 'vitest'
import { documentOf } from '../graduate/testing/execute.ts'
import { localModules } from './local-modules.ts'

describe('localModules', () => {
  it('finds modules beside the notebook, at the root, in packages, and those that a cell writes', () => {
    const document = { ...documentOf({ cells: ['%%writefile made.py\nx = 1'] }), path: 'notebooks/n.ipynb' }
    const files = ['tools.py', 'lib/a/b.py', 'notebooks/near.py', 'notebooks/pack/__init__.py', 'data/x.csv']
    expect(localModules(document, files)).toEqual(['lib', 'made', 'near', 'notebooks', 'pack', 'tools'])
  })

  it('takes every module for local where the notebook extends its path', () => {
    const files = ['src/deep/mine.py']
    const document = documentOf({ cells: ['import sys\nsys.path.append("src/deep")', 'import mine'] })
    expect(localModules(document, files)).toContain('mine')
    expect(localModules(documentOf({ cells: ['import mine'] }), files)).not.toContain('mine')
  })
})
