/** What an annotation says about how an input arrives. Annotations come in canonical form: `pandas.DataFrame`. */
import type { InputForm } from '../../model/project.ts'

const forms: Readonly<Record<string, InputForm>> = {
  'pandas.DataFrame': 'pandas',
  'pandas.core.frame.DataFrame': 'pandas',
  'polars.DataFrame': 'polars',
  'polars.LazyFrame': 'polars-lazy',
  'pyarrow.Table': 'pyarrow',
  'pyarrow.lib.Table': 'pyarrow',
  'duckdb.DuckDBPyRelation': 'duckdb',
  'duckdb.duckdb.DuckDBPyRelation': 'duckdb',
  'pathlib.Path': 'path',
  'pathlib.PurePath': 'path',
  'os.PathLike': 'path',
  str: 'path',
}
const rows = /^(list|List|typing\.List|(typing|collections\.abc)\.(Iterable|Sequence|Iterator))\[(dict|typing\.Dict)\b/
const paths = /^(list|typing\.List)\[(str|pathlib\.Path)\]$/

export function inputForm(annotation: string): InputForm {
  const text = annotation
    .replaceAll(' ', '')
    .replace(/^typing\.Optional\[(.*)\]$/, '$1')
    .replace(/\|None$/, '')
  if (Object.hasOwn(forms, text)) return forms[text]!
  if (rows.test(text)) return 'rows'
  return paths.test(text) ? 'path' : 'object'
}
