/** Many small assets in modules of 20, each reading its neighbour's result, with one helper module for each 5 modules. */
import { configText } from '../bench-project.ts'

const perModule = 20
const modulesPerHelper = 5

export function wideFiles(assets: number): Record<string, string> {
  const files: Record<string, string> = { 'cellmill.config.ts': configText('') }
  const modules = Math.ceil(assets / perModule)
  for (let m = 0; m < modules; m++) {
    const helper = Math.floor(m / modulesPerHelper)
    files[`lib/helpers_${helper}.py`] ??= helperText(helper)
    files[`assets/part_${m}.py`] = moduleText(m, helper, Math.min(perModule, assets - m * perModule))
  }
  return files
}

/** The file and the edit that concern the helper of the first modules. */
export const helperFile = 'lib/helpers_0.py'
export const readersOfHelper: number = perModule * modulesPerHelper

export function helperText(helper: number, offset = 1): string {
  return `"""Helpers of group ${helper}."""


def shift(value):
    return inner(value) + ${helper}


def inner(value):
    return value + ${offset}
`
}

function moduleText(m: number, helper: number, count: number): string {
  const head = `"""Part ${m}."""
from cellmill import asset

from lib.helpers_${helper} import shift
`
  const steps = Array.from({ length: count }, (_, i) => {
    const given = i === 0 ? '' : `a${m}_${i - 1}: int`
    return `

@asset
def a${m}_${i}(${given}) -> int:
    """Asset ${i} of part ${m}."""
    return shift(${i === 0 ? String(m) : `a${m}_${i - 1}`})
`
  })
  return head + steps.join('')
}
