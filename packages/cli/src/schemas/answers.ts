/**
 * The JSON that commands answer with, one zod schema for each: `cellmill schema COMMAND` prints it, and the test suite
 * validates every answer against it. Fields are added, never renamed or removed. Objects are open: a script must accept
 * fields that it does not know.
 */
import { z } from 'zod'

const json: z.ZodType = z.unknown()
const instant = z.string().describe('ISO 8601, UTC')
const name = z.string()
const nullable = <T extends z.ZodType>(type: T) => type.nullable()

const place = z.looseObject({
  file: z.string(),
  cell: z.number().optional(),
  line: z.number(),
  column: z.number(),
  length: z.number(),
  lineText: z.string(),
})
const diagnostic = z.looseObject({
  code: z.string(),
  severity: z.enum(['error', 'warning']),
  message: z.string(),
  at: nullable(place),
  notes: z.array(z.string()),
  fix: z.string().optional(),
})

const reason = z.looseObject({
  kind: z.enum([
    'new',
    'missing',
    'code',
    'packages',
    'parameter',
    'input',
    'source',
    'refresh',
    'undeclared-read',
    'forced',
    'previous-failure',
    'upstream',
    'unchanged',
  ]),
  detail: z.string(),
  because: z.array(name),
})
const stepKind = z.enum(['asset', 'check', 'report', 'effect'])

const plan = z.looseObject({
  environment: name,
  base: nullable(z.looseObject({ release: z.number(), at: instant })),
  held: z.boolean(),
  steps: z.array(
    z.looseObject({
      step: name,
      kind: stepKind,
      assets: z.array(name),
      partition: json,
      action: z.enum(['build', 'reuse', 'depends', 'remove']),
      publishes: z.boolean(),
      fingerprint: nullable(z.string()),
      reason,
      estimateMs: nullable(z.number()),
    }),
  ),
  diagnostics: z.array(diagnostic),
})

const event = z.looseObject({
  at: instant,
  type: z.enum([
    'run-started',
    'source-captured',
    'step-started',
    'step-log',
    'step-reused',
    'step-retrying',
    'step-succeeded',
    'step-failed',
    'step-cancelled',
    'step-skipped',
    'check-passed',
    'check-failed',
    'published',
    'publish-held',
    'run-finished',
  ]),
  runId: z.string(),
})

const error = z.looseObject({
  error: z.looseObject({
    code: z.string(),
    message: z.string(),
    hint: nullable(z.string()),
    docs: z.string(),
    details: json,
  }),
})

const moved = z.looseObject({
  environment: name,
  from: z.number(),
  release: z.number(),
  to: z.number(),
  moved: z.array(name),
  held: z.boolean(),
  notUndone: z.array(name),
  dryRun: z.boolean(),
})

const finding = z.looseObject({
  code: z.string(),
  level: z.enum(['E', 'W', 'I']),
  basis: z.enum(['static', 'file', 'run']),
  cell: nullable(z.number()),
  line: nullable(z.number()),
  message: z.string(),
  evidence: z.string(),
  fix: nullable(z.looseObject({ kind: z.string(), diff: z.string() })),
})
const audited = z.looseObject({
  notebook: z.string(),
  language: z.string(),
  runnable: nullable(z.boolean()),
  order: z.enum(['document', 'recorded', 'repaired']),
  findings: z.array(finding),
  notChecked: z.array(z.string()),
})

const verdict = z.enum([
  'proven',
  'proven-except-stochastic',
  'proven-with-accepted',
  'environment-sensitive',
  'not-proven',
  'unproven',
  'refused',
])
const graduated = z.looseObject({
  notebook: z.string(),
  verdict,
  reasons: z.array(z.looseObject({ code: z.string(), cell: nullable(z.number()), message: z.string() })),
  assets: z.array(
    z.looseObject({
      name,
      kind: z.enum(['table', 'object', 'file', 'report', 'effect']),
      language: z.string(),
      file: z.string(),
      line: z.number(),
      cells: z.array(z.number()),
      variables: z.record(z.string(), name),
    }),
  ),
  parameters: z.array(json),
  sources: z.array(json),
  files: z.array(z.string()),
  cut: nullable(
    z.looseObject({
      cells: z.number(),
      steps: z.number(),
      largestShare: z.number(),
      merges: z.array(z.looseObject({ cells: z.array(z.number()), why: z.string() })),
    }),
  ),
  notes: z.array(z.looseObject({ cell: nullable(z.number()), message: z.string() })),
  proof: nullable(z.string()),
  report: nullable(z.string()),
})

const column = z.looseObject({ name: z.string(), type: z.string() })
const queryResult = z.looseObject({ columns: z.array(column), rows: z.array(z.array(json)), truncated: z.boolean() })
const snapshot = z.looseObject({
  id: z.string(),
  kind: z.string(),
  fingerprint: z.string(),
  address: z.string(),
  createdAt: instant,
  rows: nullable(z.number()),
  sizeBytes: z.number(),
})
const explanation = z.looseObject({
  code: z.string(),
  kind: z.enum(['error', 'diagnostic', 'defect']),
  title: z.string(),
  explanation: z.string(),
})
const hold = z.looseObject({ environment: name, held: z.boolean() })

/** `run` and `logs` write one object of their schema a line; every other command writes one object. */
export const answerSchemas: Readonly<Record<string, z.ZodType>> = {
  error,
  init: z.looseObject({
    folder: z.string(),
    name,
    files: z.array(z.string()),
    template: z.string(),
    next: z.array(z.string()),
  }),
  audit: z.union([audited, z.array(audited)]),
  graduate: graduated,
  prove: graduated,
  plan,
  run: event,
  publish: moved,
  rollback: moved,
  hold,
  unhold: hold,
  sql: queryResult.extend({ environment: name, release: z.number() }),
  show: z.looseObject({
    asset: name,
    environment: name,
    release: z.number(),
    releasedAt: nullable(instant),
    snapshot,
    folder: z.string(),
    files: z.array(z.string()),
    table: nullable(queryResult),
    texts: z.array(json),
    summary: json,
  }),
  export: z.looseObject({ asset: name, environment: name, file: z.string(), sizeBytes: z.number() }),
  path: z.looseObject({
    asset: name,
    environment: name,
    release: z.number(),
    kind: z.string(),
    codec: z.string(),
    folder: z.string(),
    files: z.array(z.string()),
  }),
  debug: z.looseObject({
    runId: z.string(),
    step: name,
    folder: z.string(),
    script: z.string(),
    notebook: nullable(z.string()),
    command: z.array(z.string()),
  }),
  logs: event,
  status: z.looseObject({
    environment: name,
    release: z.number(),
    releasedAt: nullable(instant),
    held: z.boolean(),
    assets: z.array(json),
    releases: z.array(json),
    runs: z.array(json),
  }),
  test: z.looseObject({ passed: z.boolean(), exitCode: z.number() }),
  verify: z.looseObject({
    healthy: z.boolean(),
    problems: z.array(z.string()),
    blobs: z.array(
      z.looseObject({
        address: z.string(),
        state: z.enum(['missing', 'corrupt']),
        detail: z.string(),
        snapshotIds: z.array(z.string()),
      }),
    ),
    checkedBlobs: z.number(),
    orphans: z.number(),
    nonReproducible: z.array(z.string()),
  }),
  gc: z.looseObject({
    releases: z.number(),
    snapshots: z.number(),
    blobs: z.number(),
    swept: z.number(),
    freedBytes: z.number(),
    dryRun: z.boolean(),
  }),
  packages: z.looseObject({ packages: z.number(), python: z.string() }),
  doctor: z.looseObject({
    healthy: z.boolean(),
    checks: z.array(
      z.looseObject({
        name,
        state: z.enum(['ok', 'warning', 'failed']),
        detail: z.string(),
        hint: nullable(z.string()),
      }),
    ),
  }),
  explain: z.union([explanation, z.array(explanation)]),
  schema: json,
}
