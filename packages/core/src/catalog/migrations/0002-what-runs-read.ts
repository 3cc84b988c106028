/** A run can be published later as what it was, and a rollback says which release it took up again. */
import type { Migration } from './migration.ts'

export const whatRunsRead: Migration = {
  version: 2,
  name: 'what-runs-read',
  statements: [
    `ALTER TABLE runs ADD COLUMN packages TEXT NOT NULL DEFAULT '{}'`,
    `ALTER TABLE runs ADD COLUMN sources TEXT NOT NULL DEFAULT '{}'`,
    `ALTER TABLE releases ADD COLUMN restores INTEGER`,
    // The first version wrote the number into the message alone: 'back to release 3'.
    `UPDATE releases SET restores = CAST(substr(message, length('back to release ') + 1) AS INTEGER)
     WHERE cause = 'rollback' AND message LIKE 'back to release %'`,
  ],
}
