/**
 * 40 Python steps in the shape in which the peers were measured: a chain of 37, each through a helper in a module that all
 * import and that itself calls one two modules away; and a table with one reader for each of two columns.
 * Invariant: the texts that edits.ts replaces stand in the files exactly once.
 */
import { configText } from '../bench-project.ts'

export const chainLength = 37
/** The step whose helpers are edited: 17 to 37, with those between, are 21. */
export const editedStep = 17
/** Steps from here on lie in a module of their own, which alone imports the registry. */
const firstLate = 21

export interface ChainOptions {
  /** Adds the table and its two readers, which need pandas; else three more steps of the chain stand for them. */
  readonly withTable?: boolean
}

export function chainFiles({ withTable = false }: ChainOptions = {}): Record<string, string> {
  const last = withTable ? chainLength : chainLength + 3
  const files: Record<string, string> = {
    'cellmill.config.ts': configText(`sources: { limits: file('data/limits.csv') }`),
    'data/limits.csv': 'limit\n1000000\n',
    'helpers.py': helpersText(last),
    'lib/__init__.py': '',
    'lib/base.py': baseText(last),
    'lib/registry.py': registryText,
    'assets/early.py': stepsText(1, firstLate - 1),
    'assets/late.py': stepsText(firstLate, last),
  }
  return withTable ? { ...files, 'assets/wide.py': wideText } : files
}

function numbers(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

function helpersText(last: number): string {
  const head = `"""Helpers that every step imports."""
from lib import base


class Scale:
    """A value with behaviour, which crosses a step."""

    def __init__(self, by):
        self.by = by

    def apply(self, value):
        return value * self.by + 1


`
  return (
    head +
    numbers(1, last)
      .map((k) => `def helper_${k}(x):\n    return base.base_${k}(x) + ${k}\n\n\n`)
      .join('')
  )
}

function baseText(last: number): string {
  const head = `"""What the helpers are made of."""\nFACTOR = 3\n\n\n`
  const bodies = numbers(1, last).map((k) => {
    const factor = k === editedStep ? 'FACTOR' : '3'
    return `def base_${k}(x):\n    """Step ${k}."""\n    return x * ${factor}  # by ${factor}, ${k}\n\n\n`
  })
  return head + bodies.join('')
}

const registryText = `"""Rules by name, entered when the module is imported."""
RULES = {}


def rule(name, function):
    RULES[name] = function


rule("offset", lambda value: value + 7)
`

function stepsText(from: number, to: number): string {
  const late = from >= firstLate
  const head = `"""Steps ${from} to ${to}."""
from cellmill import asset, param

import helpers
${late ? 'from lib.registry import RULES\n' : 'import csv\n\nP10 = param(0)\n'}
`
  return head + numbers(from, to).map(stepText).join('\n')
}

function stepText(k: number): string {
  const extra: Record<number, readonly [string, string]> = {
    5: [', limits: str', '    with open(limits) as lines:\n        v = min(v, int(list(csv.reader(lines))[1][0]))\n'],
    10: ['', '    v = v + P10\n    # same here\n'],
    20: ['', '    v = v + helpers.Scale(2).by\n'],
    22: ['', '    v = RULES["offset"](v)\n'],
  }
  const [argument, lines] = extra[k] ?? ['', '']
  const previous = k === 1 ? '0' : `s${k - 1}["v"]`
  const given = k === 1 ? '' : `s${k - 1}: dict${argument}`
  const scale = k === 20 ? ', "scale": helpers.Scale(2)' : ''
  const apply = k === 21 ? '    v = s20["scale"].apply(v) % 1000003\n' : ''
  return `
@asset
def s${k}(${given}) -> dict:
    """Step ${k}."""
    v = ${previous} + helpers.helper_${k}(2)
${lines}${apply}    return {"v": v${scale}}
`
}

const wideText = `"""A table, and a reader for each of two columns."""
import pandas as pd
from cellmill import asset


@asset
def wide() -> pd.DataFrame:
    frame = pd.DataFrame({"a": range(100)})
    frame["b"] = frame.a * 2
    return frame


@asset(reads={"wide": ["a"]})
def reads_a(wide: pd.DataFrame) -> dict:
    return {"sum": int(wide.a.sum())}


@asset(reads={"wide": ["b"]})
def reads_b(wide: pd.DataFrame) -> dict:
    return {"sum": int(wide.b.sum())}
`
