/** The first schema. STRICT and foreign keys, so that a wrong write fails where it is made. */
import type { Migration } from './migration.ts'

export const firstSchema: Migration = {
  version: 1,
  name: 'first-schema',
  statements: [
    `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID`,
    `CREATE TABLE runs (
      id TEXT PRIMARY KEY,
      environment TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'cancelled')),
      started_at TEXT NOT NULL,
      finished_at TEXT,
      base_release INTEGER NOT NULL,
      release INTEGER,
      git_commit TEXT,
      parameters TEXT NOT NULL,
      code_bundle TEXT,
      pid INTEGER NOT NULL,
      sandbox TEXT NOT NULL,
      counts TEXT NOT NULL,
      CHECK ((state = 'running') = (finished_at IS NULL))
    ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX runs_running ON runs (id) WHERE state = 'running'`,
    `CREATE TABLE recipes (digest TEXT PRIMARY KEY, recipe TEXT NOT NULL) STRICT`,
    `CREATE TABLE run_steps (
      run_id TEXT NOT NULL REFERENCES runs (id),
      step TEXT NOT NULL,
      kind TEXT NOT NULL,
      assets TEXT NOT NULL,
      state TEXT NOT NULL
        CHECK (state IN ('queued', 'running', 'succeeded', 'reused', 'failed', 'skipped', 'cancelled')),
      fingerprint TEXT,
      recipe_digest TEXT REFERENCES recipes (digest),
      inputs TEXT NOT NULL,
      reason TEXT NOT NULL,
      attempt INTEGER NOT NULL,
      started_at TEXT,
      finished_at TEXT,
      error TEXT,
      log_path TEXT,
      PRIMARY KEY (run_id, step)
    ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX run_steps_recipe ON run_steps (recipe_digest)`,
    `CREATE TABLE last_steps (
      environment TEXT NOT NULL,
      step TEXT NOT NULL,
      state TEXT NOT NULL,
      fingerprint TEXT,
      ms INTEGER,
      PRIMARY KEY (environment, step)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE claims (
      fingerprint TEXT PRIMARY KEY,
      epoch INTEGER NOT NULL CHECK (epoch > 0),
      owner TEXT,
      heartbeat_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE results (
      id INTEGER PRIMARY KEY,
      fingerprint TEXT NOT NULL,
      epoch INTEGER NOT NULL,
      recipe_digest TEXT NOT NULL REFERENCES recipes (digest),
      run_id TEXT NOT NULL,
      step TEXT NOT NULL,
      attempt INTEGER NOT NULL,
      committed_at TEXT NOT NULL,
      reusable INTEGER NOT NULL CHECK (reusable IN (0, 1)),
      superseded_at TEXT,
      differs INTEGER NOT NULL CHECK (differs IN (0, 1)),
      UNIQUE (fingerprint, epoch)
    ) STRICT`,
    `CREATE UNIQUE INDEX results_current ON results (fingerprint) WHERE superseded_at IS NULL`,
    `CREATE INDEX results_recipe ON results (recipe_digest)`,
    `CREATE INDEX results_run ON results (run_id)`,
    `CREATE TABLE result_inputs (
      result_id INTEGER NOT NULL REFERENCES results (id) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      argument TEXT NOT NULL,
      name TEXT NOT NULL,
      digest TEXT NOT NULL,
      snapshot_id TEXT,
      address TEXT,
      PRIMARY KEY (result_id, position)
    ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX result_inputs_address ON result_inputs (address) WHERE address IS NOT NULL`,
    `CREATE TABLE snapshots (
      id TEXT PRIMARY KEY,
      result_id INTEGER NOT NULL REFERENCES results (id) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      output TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      address TEXT NOT NULL,
      created_at TEXT NOT NULL,
      run_id TEXT NOT NULL,
      reusable INTEGER NOT NULL CHECK (reusable IN (0, 1)),
      not_reusable_because TEXT,
      facts TEXT NOT NULL,
      UNIQUE (result_id, position),
      UNIQUE (result_id, output)
    ) STRICT`,
    `CREATE INDEX snapshots_address ON snapshots (address)`,
    `CREATE TABLE column_digests (
      snapshot_id TEXT NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
      form TEXT NOT NULL,
      columns_key TEXT NOT NULL,
      digest TEXT NOT NULL,
      PRIMARY KEY (snapshot_id, form, columns_key)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE verdicts (
      fingerprint TEXT PRIMARY KEY,
      check_name TEXT NOT NULL,
      severity TEXT NOT NULL,
      passed INTEGER NOT NULL CHECK (passed IN (0, 1)),
      message TEXT NOT NULL,
      failed_rows INTEGER,
      evidence TEXT,
      run_id TEXT NOT NULL,
      at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX verdicts_evidence ON verdicts (evidence) WHERE evidence IS NOT NULL`,
    `CREATE TABLE observations (
      binding TEXT PRIMARY KEY,
      source TEXT NOT NULL,
      version TEXT NOT NULL,
      content_digest TEXT NOT NULL,
      address TEXT,
      size_bytes INTEGER NOT NULL,
      observed_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE environments (
      name TEXT PRIMARY KEY,
      release INTEGER NOT NULL,
      released_at TEXT,
      held INTEGER NOT NULL CHECK (held IN (0, 1)),
      held_bundle TEXT
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE releases (
      environment TEXT NOT NULL REFERENCES environments (name),
      number INTEGER NOT NULL CHECK (number > 0),
      created_at TEXT NOT NULL,
      run_id TEXT,
      author TEXT NOT NULL,
      message TEXT NOT NULL,
      git_commit TEXT,
      code_bundle TEXT,
      packages TEXT NOT NULL,
      parameters TEXT NOT NULL,
      sources TEXT NOT NULL,
      cause TEXT NOT NULL,
      mixed INTEGER NOT NULL CHECK (mixed IN (0, 1)),
      PRIMARY KEY (environment, number)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE pointers (
      environment TEXT NOT NULL REFERENCES environments (name),
      asset TEXT NOT NULL,
      from_release INTEGER NOT NULL,
      to_release INTEGER,
      snapshot_id TEXT NOT NULL REFERENCES snapshots (id),
      fingerprint TEXT NOT NULL,
      step TEXT NOT NULL,
      PRIMARY KEY (environment, asset, from_release),
      CHECK (to_release IS NULL OR to_release > from_release)
    ) STRICT, WITHOUT ROWID`,
    `CREATE UNIQUE INDEX pointers_current ON pointers (environment, asset) WHERE to_release IS NULL`,
    `CREATE INDEX pointers_snapshot ON pointers (snapshot_id)`,
    `CREATE TABLE leases (
      run_id TEXT NOT NULL,
      snapshot_id TEXT NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
      expires_at TEXT NOT NULL,
      PRIMARY KEY (run_id, snapshot_id)
    ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX leases_snapshot ON leases (snapshot_id)`,
  ],
}
