/** Verdicts of checks, by the identity of the check and what it read. */
import type { Kysely } from 'kysely'
import type { VerdictRecord } from '../catalog.ts'
import type { CatalogTables, VerdictRow } from '../schema.ts'

export function verdictFromRow(row: VerdictRow): VerdictRecord {
  return {
    fingerprint: row.fingerprint,
    check: row.check_name,
    severity: row.severity as VerdictRecord['severity'],
    passed: row.passed === 1,
    message: row.message,
    failedRows: row.failed_rows,
    evidence: row.evidence,
    runId: row.run_id,
    at: row.at,
  }
}

export async function saveVerdict(db: Kysely<CatalogTables>, verdict: VerdictRecord): Promise<void> {
  const row: VerdictRow = {
    fingerprint: verdict.fingerprint,
    check_name: verdict.check,
    severity: verdict.severity,
    passed: verdict.passed ? 1 : 0,
    message: verdict.message,
    failed_rows: verdict.failedRows,
    evidence: verdict.evidence,
    run_id: verdict.runId,
    at: verdict.at,
  }
  await db
    .insertInto('verdicts')
    .values(row)
    .onConflict((conflict) => conflict.column('fingerprint').doUpdateSet(row))
    .execute()
}
