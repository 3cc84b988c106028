/** The rules that SQL assets write in comments, as queries for the rows that break them. Pure. */
import type { Json } from '../canonical.ts'
import type { CheckRule } from '../model/project.ts'

export interface RuleQuery {
  /** Rows that break the rule; none when it holds. `asset` is the relation's name. */
  readonly sql: string
  readonly describe: (rows: number) => string
}

export function ruleQuery(rule: CheckRule, relation: string): RuleQuery {
  const from = quoteName(relation)
  switch (rule.type) {
    case 'not_null': {
      const condition = rule.columns.map((column) => `${quoteName(column)} IS NULL`).join(' OR ')
      return {
        sql: `SELECT * FROM ${from} WHERE ${condition}`,
        describe: (rows) => `${count(rows, 'row')} with no ${rule.columns.join(' or ')}`,
      }
    }
    case 'unique': {
      const columns = rule.columns.map(quoteName).join(', ')
      return {
        sql: `SELECT ${columns}, count(*) AS occurrences FROM ${from} GROUP BY ${columns} HAVING count(*) > 1`,
        describe: (rows) => `${count(rows, 'value')} of ${rule.columns.join(', ')} more than once`,
      }
    }
    case 'accepted_values': {
      const values = rule.values.map(literal).join(', ')
      const column = quoteName(rule.column)
      return {
        sql: `SELECT * FROM ${from} WHERE ${column} IS NOT NULL AND ${column} NOT IN (${values})`,
        describe: (rows) =>
          `${count(rows, 'row')} with another ${rule.column} than ${rule.values.map(String).join(', ')}`,
      }
    }
    case 'row_count': {
      const bounds = [
        ...(rule.min === null ? [] : [`count(*) < ${rule.min}`]),
        ...(rule.max === null ? [] : [`count(*) > ${rule.max}`]),
      ]
      return {
        sql: `SELECT count(*) AS row_count FROM ${from} HAVING ${bounds.length === 0 ? 'false' : bounds.join(' OR ')}`,
        describe: () => `row count outside ${rule.min ?? 0}..${rule.max ?? 'any'}`,
      }
    }
    case 'expression':
      return {
        sql: `SELECT * FROM ${from} WHERE NOT coalesce((${rule.sql}), false)`,
        describe: (rows) => `${count(rows, 'row')} where ${rule.sql} does not hold`,
      }
  }
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function literal(value: Json): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return value === null
    ? 'NULL'
    : `'${(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll("'", "''")}'`
}

function count(n: number, noun: string): string {
  return `${n.toLocaleString('en-US')} ${noun}${n === 1 ? '' : 's'}`
}
