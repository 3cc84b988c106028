/** Annotations of inputs and outputs, from the types that a run showed; they decide how a value is kept and arrives. */
import type { ObservedValue } from '../observation.ts'
import type { AssetKind } from '../../model/project.ts'

export interface Annotation {
  /** As written: `pd.DataFrame`, or '' when nothing is known. */
  readonly text: string
  /** Import line that it needs beyond the notebook's own. */
  readonly needs: string | null
}

const MODULES: Readonly<Record<string, readonly [module: string, alias: string, leaf: string]>> = {
  'pandas.core.frame.DataFrame': ['pandas', 'pd', 'DataFrame'],
  'pandas.DataFrame': ['pandas', 'pd', 'DataFrame'],
  'pandas.core.series.Series': ['pandas', 'pd', 'Series'],
  'pandas.Series': ['pandas', 'pd', 'Series'],
  'numpy.ndarray': ['numpy', 'np', 'ndarray'],
  'polars.dataframe.frame.DataFrame': ['polars', 'pl', 'DataFrame'],
  'pyarrow.lib.Table': ['pyarrow', 'pa', 'Table'],
}
const PLAIN: ReadonlySet<string> = new Set([
  'int',
  'float',
  'bool',
  'str',
  'list',
  'dict',
  'tuple',
  'set',
  'bytes',
  'complex',
  'frozenset',
])

/** `aliases`: name in the module to the module it is. */
export function annotationOf(
  value: ObservedValue | null,
  aliases: ReadonlyMap<string, string>,
  taken: ReadonlySet<string>,
): Annotation {
  if (value === null) return { text: '', needs: null }
  const known = MODULES[value.type]
  if (known !== undefined) {
    const alias = [...aliases].find(([, module]) => module === known[0])?.[0]
    if (alias !== undefined) return { text: `${alias}.${known[2]}`, needs: null }
    if (taken.has(known[1])) return { text: '', needs: null }
    return { text: `${known[1]}.${known[2]}`, needs: `import ${known[0]} as ${known[1]}` }
  }
  const plain = value.type.replace(/^builtins\./u, '')
  return { text: PLAIN.has(plain) && !taken.has(plain) ? plain : '', needs: null }
}

export function isFrame(value: ObservedValue | null): boolean {
  return value === null || /(^|\.)(DataFrame|LazyFrame|Table|Relation|DuckDBPyRelation)$/u.test(value.type)
}

/** A table only after a lossless round trip. */
export function kindOf(value: ObservedValue | null): AssetKind {
  return value?.kind === 'table' ? 'table' : 'object'
}
