/** N02, N03, N12, N13, N38: names that nothing defines, that come too late, or that hide. */
import type { Finding } from '../../finding.ts'
import { nearestName } from '../../../model/nearest.ts'
import { finding, groupBy, lineText, type AuditContext, type Rule } from '../audit-context.ts'
import { cellDiff } from '../cell-diff.ts'
import type { NameUse } from '../name-flow.ts'

export const nameRules: readonly Rule[] = [
  { codes: ['N02'], needs: 'facts', find: undefinedNames },
  { codes: ['N03'], needs: 'facts', find: usedTooEarly },
  { codes: ['N12'], needs: 'facts', find: differentThings },
  { codes: ['N13'], needs: 'facts', find: starImports },
  { codes: ['N38'], needs: 'facts', find: interactive },
]

/** Imports that everybody writes in one way. */
export const KNOWN_ALIASES: Readonly<Record<string, string>> = {
  pd: 'import pandas as pd',
  np: 'import numpy as np',
  plt: 'import matplotlib.pyplot as plt',
  sns: 'import seaborn as sns',
  mpl: 'import matplotlib as mpl',
  sm: 'import statsmodels.api as sm',
  smf: 'import statsmodels.formula.api as smf',
  tf: 'import tensorflow as tf',
  px: 'import plotly.express as px',
  go: 'import plotly.graph_objects as go',
  pl: 'import polars as pl',
  sp: 'import scipy as sp',
  nx: 'import networkx as nx',
  alt: 'import altair as alt',
  os: 'import os',
  sys: 'import sys',
  re: 'import re',
  json: 'import json',
  math: 'import math',
  random: 'import random',
  time: 'import time',
  datetime: 'from datetime import datetime',
  Path: 'from pathlib import Path',
  Counter: 'from collections import Counter',
  defaultdict: 'from collections import defaultdict',
}

/** Nobody reads more, and looking for similar names takes time. */
const MAX_UNDEFINED = 100

const HISTORY = /^(In|Out|_{1,3}|_i{1,3}|_\d+|_i\d+|_ih|_oh|_dh)$/

function undefinedNames(context: AuditContext): readonly Finding[] {
  return [...deletedNames(context), ...neverDefined(context)]
}

/** Reads after a `del` with no new definition between. */
function deletedNames(context: AuditContext): readonly Finding[] {
  const deletions = context.statements.flatMap((statement) =>
    statement.facts.deletes.map((name) => ({ name, statement })),
  )
  return deletions.flatMap(({ name, statement }) => {
    const again = (context.flow.bindings.get(name) ?? []).filter(({ order }) => order > statement.order)
    const next = Math.min(...again.map(({ order }) => order), Number.POSITIVE_INFINITY)
    const use = context.flow.readsByName
      .get(name)
      ?.find((read) => read.certain && read.order > statement.order && read.order <= next)
    if (use === undefined) return []
    return [
      finding('N02', {
        cell: use.cell,
        line: use.line,
        message: `\`${name}\` is used here, but cell ${statement.cell} deletes it before: a fresh run stops with a NameError.`,
        evidence: context.document.cells[use.cell]?.source.split('\n')[use.line - 1]?.trim() ?? name,
      }),
    ]
  })
}

function neverDefined(context: AuditContext): readonly Finding[] {
  if (context.flow.mayHide) return []
  const missing = [...context.flow.reads, ...context.flow.uncalled].filter(
    ({ name }) => !context.flow.bindings.has(name) && !HISTORY.test(name),
  )
  const groups = [...groupBy(missing, ({ name }) => name).values()]
  return groups.slice(0, MAX_UNDEFINED).flatMap((uses) => {
    const first = uses.toSorted((a, b) => a.order - b.order)[0]
    return first === undefined ? [] : [undefinedName(context, first)]
  })
}

function undefinedName(context: AuditContext, use: NameUse): Finding {
  const known = KNOWN_ALIASES[use.name]
  const deleted = context.statements.find(({ facts }) => facts.deletes.includes(use.name))
  const near = known === undefined ? nearestName(use.name, [...context.flow.bindings.keys()]) : null
  const source = context.document.cells[use.cell]?.source ?? ''
  const hints = [
    known === undefined ? '' : ` The import is missing: \`${known}\`.`,
    near === null ? '' : ` Did you mean \`${near}\`?`,
    deleted === undefined ? '' : ` Cell ${deleted.cell} deletes it, so it existed once.`,
  ]
  const through = use.through === null ? '' : ` (in \`${use.through}\`)`
  return finding('N02', {
    cell: use.cell,
    line: use.line,
    message: `\`${use.name}\` is used here${through}, but no cell defines it: a fresh run stops with a NameError.${hints.join('')}`,
    evidence: source.split('\n')[use.line - 1]?.trim() ?? use.name,
    fix: known === undefined ? null : { kind: 'automatic', diff: cellDiff(use.cell, source, `${known}\n${source}`) },
  })
}

function usedTooEarly(context: AuditContext): readonly Finding[] {
  if (context.flow.mayHide) return []
  const early = context.flow.reads.filter(({ name, order, certain, through }) => {
    if (!certain) return false
    const bindings = context.flow.bindings.get(name)
    if (bindings === undefined) return false
    // A statement that binds a name and reads it first (`x = x + 1`) reads an earlier version; in a loop or condition
    // that may bind it, or a call in a statement that binds it, the order within the statement decides.
    return !bindings.some(
      (binding) => binding.order < order || (binding.order === order && (!binding.certain || through !== null)),
    )
  })
  return [...groupBy(early, ({ name }) => name).values()].flatMap((uses) => {
    const use = uses[0]
    const definition = use === undefined ? undefined : context.flow.bindings.get(use.name)?.[0]
    if (use === undefined || definition === undefined) return []
    const same = definition.cell === use.cell
    const through = use.through === null ? '' : ` (by \`${use.through}\`)`
    return [
      finding('N03', {
        cell: use.cell,
        line: use.line,
        message: `\`${use.name}\` is used${through} before it exists: ${same ? `line ${definition.line} of this cell` : `cell ${definition.cell}, further down,`} is the first to define it.`,
        evidence: context.document.cells[use.cell]?.source.split('\n')[use.line - 1]?.trim() ?? use.name,
      }),
    ]
  })
}

function differentThings(context: AuditContext): readonly Finding[] {
  return [...context.flow.bindings].flatMap(([name, bindings]) => {
    const typed = bindings.flatMap((binding) => {
      const types = binding.statement.facts.bindTypes[name]
      return types === undefined || !binding.certain || name === '_' ? [] : [{ binding, kind: kindOf(types) }]
    })
    const first = typed[0]
    const other = typed.find(({ kind, binding }) => kind !== first?.kind && binding.cell !== first?.binding.cell)
    if (first === undefined || other === undefined || first.kind === '' || other.kind === '') return []
    return [
      finding('N12', {
        cell: other.binding.cell,
        line: other.binding.line,
        message: `\`${name}\` was ${first.kind} in cell ${first.binding.cell} and becomes ${other.kind} here: which one a cell sees depends on the order of runs.`,
        evidence: lineText(context, other.binding.cell, other.binding.statement.facts.span),
      }),
    ]
  })
}

/** Kinds that a person would call different; '' where the types do not decide it. */
function kindOf(types: readonly string[]): string {
  const kinds = new Set(types.map((type) => KINDS[type] ?? (type.startsWith('user:') ? `a ${type.slice(5)}` : '')))
  return kinds.size === 1
    ? ([...kinds][0] ?? '')
    : types.every((type) => type.startsWith('pandas.'))
      ? 'pandas data'
      : ''
}

const KINDS: Readonly<Record<string, string>> = {
  'pandas.DataFrame': 'pandas data',
  'pandas.Series': 'pandas data',
  'numpy.ndarray': 'an array',
  'sklearn.Estimator': 'a model',
  'sklearn.Unseeded': 'a model',
  str: 'text',
  int: 'a number',
  float: 'a number',
  list: 'a list',
  dict: 'a dict',
  set: 'a set',
  function: 'a function',
  module: 'a module',
}

function starImports(context: AuditContext): readonly Finding[] {
  return context.statements.flatMap((statement) =>
    statement.facts.imports
      .filter(({ name }) => name === '*')
      .map(({ module }) =>
        finding('N13', {
          cell: statement.cell,
          line: statement.facts.span.line,
          message: `\`from ${module} import *\` brings names that cannot be seen here, and may replace names in use. Import the names that you use.`,
          evidence: lineText(context, statement.cell, statement.facts.span),
        }),
      ),
  )
}

const INTERACTIVE: Readonly<Record<string, string>> = {
  history: 'It reads the history of the session (`_`, `In`, `Out`), which a fresh run does not have.',
  input: '`input()` waits for somebody to type. Make the value a parameter.',
  exit: 'It ends the kernel: cells below never run in a full run.',
  breakpoint: '`breakpoint()` stops and waits for a debugger.',
}

function interactive(context: AuditContext): readonly Finding[] {
  return context.statements.flatMap((statement) =>
    statement.facts.dynamic.flatMap((kind) => {
      const message = INTERACTIVE[kind]
      const defined =
        kind === 'history' &&
        statement.facts.reads.some(({ name }) => HISTORY.test(name) && context.flow.bindings.has(name))
      return message === undefined || defined
        ? []
        : [
            finding('N38', {
              cell: statement.cell,
              line: statement.facts.span.line,
              message,
              evidence: lineText(context, statement.cell, statement.facts.span),
            }),
          ]
    }),
  )
}
