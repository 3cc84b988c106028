/**
 * The catalogue of CellmillError codes: exit code and explanation for `cellmill explain CODE`. Codes are permanent.
 * Diagnostics have a catalogue of their own in diagnostic-codes.ts, notebook findings in notebook/audit/defects.ts.
 */
export interface ErrorEntry {
  /** 1: the work failed. 2: usage, configuration or internal. 130: interrupted. */
  readonly exitCode: 1 | 2 | 130
  /** What it means and what to do, in two or three sentences of Markdown. */
  readonly explanation: string
}

export const errorCatalogue = {
  PROJECT_NOT_FOUND: {
    exitCode: 2,
    explanation:
      'No folder from here upward has a `cellmill.config.ts`. Run `cellmill init NAME` to make a project, or name one with `--project DIR`.',
  },
  PROJECT_INVALID: {
    exitCode: 2,
    explanation: 'The project has errors, listed above with their places. Nothing was run and nothing was changed.',
  },
  UNKNOWN_NAME: {
    exitCode: 2,
    explanation: 'No asset, source, run, environment or parameter has this name. The nearest one is suggested.',
  },
  USAGE: {
    exitCode: 2,
    explanation: 'The command was typed in a way it does not understand. See `cellmill COMMAND --help`.',
  },
  PARAMETER_INVALID: {
    exitCode: 2,
    explanation:
      "A parameter's value is not of the type of its default. Values are converted to the default's type or refused.",
  },
  PYTHON_NOT_FOUND: {
    exitCode: 2,
    explanation: 'No Python 3.11 or newer was found. Install one, or name it in `CELLMILL_PYTHON`.',
  },
  PACKAGES_NOT_INSTALLED: {
    exitCode: 2,
    explanation: "The packages of the project's lock are not installed here. Run `cellmill packages sync`.",
  },
  PACKAGES_FAILED: {
    exitCode: 1,
    explanation: 'A package could not be resolved or installed. The message names it. The project was left as it was.',
  },
  PACKAGES_DRIFTED: {
    exitCode: 2,
    explanation:
      'The installed packages differ from the lock, so results could not be trusted. Run `cellmill packages sync`.',
  },
  SANDBOX_UNAVAILABLE: {
    exitCode: 2,
    explanation:
      "`sandbox: 'require'` is set and neither bubblewrap nor Landlock works on this machine. Install bubblewrap, or allow user namespaces.",
  },
  SANDBOX_FAILED: {
    exitCode: 1,
    explanation:
      'A process could not be started in its sandbox. The message says why: most often a file or folder that it was to see is not there, or belongs to another user.',
  },
  SOURCE_MISSING: { exitCode: 1, explanation: 'A source names a file, address or table that is not there.' },
  SOURCE_FAILED: { exitCode: 1, explanation: 'A source could not be read. The message says why.' },
  STEP_FAILED: {
    exitCode: 1,
    explanation: 'One or more steps failed. Fix the cause and run again: finished steps are reused.',
  },
  CHECK_FAILED: { exitCode: 1, explanation: 'A check of severity `error` failed, so nothing was published.' },
  CANCELLED: {
    exitCode: 130,
    explanation: 'The command was interrupted. Nothing half-done was kept; run again to go on.',
  },
  ENVIRONMENT_HELD: {
    exitCode: 1,
    explanation:
      'The environment was rolled back and is held: runs build but do not publish. `cellmill unhold ENV` lets it publish again.',
  },
  PUBLISH_CONFLICT: {
    exitCode: 1,
    explanation: 'Another run published to this environment meanwhile. Run again: what is built is reused.',
  },
  PUBLISH_REFUSED: { exitCode: 1, explanation: 'The run cannot be published: the message says which rule forbids it.' },
  DISK_FULL: {
    exitCode: 1,
    explanation: 'The disk is full. Free some space (`cellmill gc` helps) and run again: what was finished is kept.',
  },
  STATE_UNAVAILABLE: {
    exitCode: 1,
    explanation:
      'The state folder (`.cellmill`, or what `state:` names) cannot be read or written: permissions, a read-only or failing disk, or a network disk on which locks do not hold. The message has the operating system’s own words.',
  },
  STORE_REFUSED: {
    exitCode: 1,
    explanation:
      'A step wrote something that cannot be stored: a link, a device, a file with an unusual name, or a file that changed after it was digested. Write plain files with plain names.',
  },
  STORE_CORRUPT: {
    exitCode: 1,
    explanation:
      'A stored file is missing or does not match its digest. `cellmill verify` lists them; running again rebuilds them.',
  },
  CATALOG_NEWER: {
    exitCode: 2,
    explanation: 'The catalog was written by a newer Cellmill. Upgrade this one; downgrades are refused.',
  },
  CATALOG_CORRUPT: {
    exitCode: 2,
    explanation: 'The catalog cannot be read as a Cellmill catalog. It was left untouched; restore it from a backup.',
  },
  CATALOG_BUSY: { exitCode: 1, explanation: 'Another process kept the catalog locked for too long. Try again.' },
  NOTEBOOK_UNREADABLE: {
    exitCode: 2,
    explanation: 'The file is not a notebook that Cellmill can read. The message says why.',
  },
  NOTEBOOK_REFUSED: {
    exitCode: 1,
    explanation: 'The notebook cannot be converted safely; the cells and defects are listed.',
  },
  NOT_PROVEN: {
    exitCode: 1,
    explanation: 'The pipeline could not be shown to compute what the notebook computed. It was kept as a draft.',
  },
  KERNEL_FAILED: { exitCode: 1, explanation: "The notebook's kernel did not start or died." },
  QUERY_FAILED: { exitCode: 1, explanation: 'The SQL query failed; the message is the engine’s own.' },
  FILE_EXISTS: {
    exitCode: 2,
    explanation: 'A file that would be written is there already, and differs. Nothing was written.',
  },
  INTERNAL: {
    exitCode: 2,
    explanation: 'A fault of Cellmill itself. Please report it with the output of the same command under `-v`.',
  },
} as const

export type ErrorCode = keyof typeof errorCatalogue
