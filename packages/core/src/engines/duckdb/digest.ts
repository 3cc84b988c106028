/**
 * SQL that digests the contents of a table: row count plus the sum of 64-bit row hashes over an injective encoding of a
 * set of columns. Invariant: two tables that a reader could tell apart never have one encoding; the corpus in
 * digest.test.ts holds the pairs. Raise `digestVersion` with any change here: snapshots are then digested again.
 */
import type { DuckDBType } from '@duckdb/node-api'
import { DuckDBTypeId } from '@duckdb/node-api'
import { digestOf } from '../../canonical.ts'
import { CellmillError } from '../../errors.ts'
import type { ColumnSchema } from '../../model/snapshot.ts'
import { quoteIdentifier, quoteLiteral } from './sql-text.ts'

export const digestVersion = 'duckdb-1.5/1'

export interface TypedColumn {
  readonly name: string
  readonly type: DuckDBType
}

export interface DigestParts {
  readonly columns: readonly ColumnSchema[]
  readonly rows: number
  /** Decimal text of the HUGEINT. */
  readonly sum: string
  readonly form: 'multiset' | 'sequence'
  /** True for readers of all columns, who see their order too. */
  readonly ordered: boolean
}

export function tableDigest(parts: DigestParts): string {
  const columns = parts.columns.map((column) => [column.name, column.type])
  if (!parts.ordered) columns.sort((a, b) => (a[0]! < b[0]! ? -1 : a[0]! > b[0]! ? 1 : 0))
  return digestOf({
    digest: digestVersion,
    columns,
    ordered: parts.ordered,
    rows: parts.rows,
    sum: parts.sum,
    form: parts.form,
  })
}

/** The columns in the order in which their values enter the row hash: declared order, or by name for a set. */
export function hashedOrder(columns: readonly TypedColumn[], ordered: boolean): readonly TypedColumn[] {
  if (ordered) return columns
  return [...columns].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/**
 * DuckDB joins the hashes of a row's values by xor, under which the sums of two re-paired rows agree once in 10^8
 * times; the outer hash mixes all bits, which makes that once in 2^64.
 */
export function rowHash(columns: readonly TypedColumn[], rowNumber: string | null): string {
  const values = columns.flatMap((column) => encode(quoteIdentifier(column.name), column))
  if (rowNumber !== null) values.unshift(rowNumber)
  return values.length === 0 ? '0::UBIGINT' : `hash(hash(${values.join(', ')}))`
}

export function sumOfHashes(hash: string): string {
  return `coalesce(sum((${hash})::HUGEINT), 0)::VARCHAR`
}

const direct: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.BOOLEAN,
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UHUGEINT,
  DuckDBTypeId.DATE,
  DuckDBTypeId.TIME,
  DuckDBTypeId.TIMESTAMP,
  DuckDBTypeId.TIMESTAMP_S,
  DuckDBTypeId.TIMESTAMP_MS,
  DuckDBTypeId.TIMESTAMP_NS,
  DuckDBTypeId.TIMESTAMP_TZ,
  DuckDBTypeId.DECIMAL,
  DuckDBTypeId.VARCHAR,
  DuckDBTypeId.BLOB,
  DuckDBTypeId.UUID,
  DuckDBTypeId.SQLNULL,
])

/** Types whose text is injective, although their hash or equality is not. */
const byText: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.INTERVAL,
  DuckDBTypeId.TIME_TZ,
  DuckDBTypeId.ENUM,
  DuckDBTypeId.BIT,
  DuckDBTypeId.BIGNUM,
])

const floats: ReadonlySet<DuckDBTypeId> = new Set([DuckDBTypeId.FLOAT, DuckDBTypeId.DOUBLE])

const nested: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.LIST,
  DuckDBTypeId.ARRAY,
  DuckDBTypeId.STRUCT,
  DuckDBTypeId.MAP,
  DuckDBTypeId.UNION,
])

/** The arguments of `hash` that stand for one column. */
function encode(expression: string, column: TypedColumn): readonly string[] {
  const id = column.type.typeId
  if (direct.has(id)) return [expression]
  // `hash` takes -0.0 for 0.0 and every NaN for one: the sign of zero is what is missing.
  if (floats.has(id)) return [expression, `coalesce(${expression} = 0 AND signbit(${expression}), false)`]
  if (byText.has(id)) return [`${expression}::VARCHAR`]
  if (nested.has(id)) return [canonicalText(expression, column, column.type, 0)]
  throw undigestible(column)
}

/** Self-delimiting text, never NULL: `N`, `V<length>:<text>`, `L<count>[..]`, `S(..)`, `U<tag>(..)`. */
function canonicalText(expression: string, column: TypedColumn, type: DuckDBType, depth: number): string {
  const inner = nestedText(expression, column, type, depth)
  return `CASE WHEN ${expression} IS NULL THEN 'N' ELSE ${inner} END`
}

function nestedText(expression: string, column: TypedColumn, type: DuckDBType, depth: number): string {
  const id = type.typeId
  if (id === DuckDBTypeId.LIST || id === DuckDBTypeId.ARRAY) {
    const item = type.valueType
    const list = id === DuckDBTypeId.ARRAY ? `(${expression})::${String(item)}[]` : expression
    return listText(list, (name) => canonicalText(name, column, item, depth + 1), depth)
  }
  if (id === DuckDBTypeId.MAP) {
    const map = type
    const entry = (name: string): string =>
      `'E' || ${canonicalText(`${name}.key`, column, map.keyType, depth + 1)} || ${canonicalText(`${name}.value`, column, map.valueType, depth + 1)}`
    return listText(`map_entries(${expression})`, entry, depth)
  }
  if (id === DuckDBTypeId.STRUCT) {
    const struct = type
    const fields = struct.entryTypes.map((fieldType, i) => {
      const name = struct.entryNames[i] ?? ''
      const key = name === '' ? String(i + 1) : quoteLiteral(name)
      return canonicalText(`struct_extract(${expression}, ${key})`, column, fieldType, depth)
    })
    return `'S(' || ${fields.join(' || ')} || ')'`
  }
  if (id === DuckDBTypeId.UNION) {
    const union = type
    const members = union.memberTypes.map((memberType, i) =>
      canonicalText(
        `union_extract(${expression}, ${quoteLiteral(union.memberTags[i] ?? '')})`,
        column,
        memberType,
        depth,
      ),
    )
    return `'U' || union_tag(${expression})::VARCHAR || '(' || ${members.join(' || ')} || ')'`
  }
  return scalarText(expression, column, type)
}

function listText(list: string, item: (name: string) => string, depth: number): string {
  const name = `cm_item_${depth}`
  const items = `array_to_string(list_transform(${list}, lambda ${name}: ${item(name)}), '')`
  return `'L' || len(${list})::VARCHAR || '[' || ${items} || ']'`
}

function scalarText(expression: string, column: TypedColumn, type: DuckDBType): string {
  const id = type.typeId
  if (!direct.has(id) && !byText.has(id) && !floats.has(id)) throw undigestible(column)
  if (id === DuckDBTypeId.BLOB) return sized(`hex(${expression})`)
  if (floats.has(id)) return sized(`CASE WHEN isnan(${expression}) THEN 'nan' ELSE ${expression}::VARCHAR END`)
  return sized(`${expression}::VARCHAR`)
}

/** The length is in bytes, so that no text can imitate the end of another. */
function sized(text: string): string {
  return `('V' || strlen(${text})::VARCHAR || ':' || ${text})`
}

function undigestible(column: TypedColumn): CellmillError {
  return new CellmillError(
    'QUERY_FAILED',
    `Column ${column.name} has type ${String(column.type)}, which cannot be compared between runs.`,
    {
      hint: `Cast it, for instance to VARCHAR: ${quoteIdentifier(column.name)}::VARCHAR.`,
      details: { column: column.name, type: String(column.type) },
    },
  )
}
