/**
 * The catalogue of notebook defects: what `audit` prints and `cellmill explain N20` explains. Codes are permanent.
 * `basis` is how a defect is mainly computed: from the code, from the saved file, or from an observed run.
 */
import type { DefectLevel } from '../finding.ts'

export interface Defect {
  readonly code: string
  readonly level: DefectLevel
  readonly title: string
  readonly basis: 'static' | 'file' | 'run'
  /** What it means, how it is found and what is done about it, in Markdown. */
  readonly explanation: string
  readonly computed: string
  readonly fix: string
}

const LEVELS: Readonly<Record<DefectLevel, string>> = {
  E: 'Error: breaks the notebook or may change its results.',
  W: 'Warning: a risk.',
  I: 'Information.',
}

interface Entry {
  readonly level: DefectLevel
  readonly basis: Defect['basis']
  readonly title: string
  readonly meaning: string
  readonly computed: string
  readonly fix: string
}

const entries = {
  N01: {
    level: 'E',
    basis: 'file',
    title: 'The cells were run out of order',
    meaning:
      'The numbers beside the cells show that some were run after cells below them. Run from top to bottom, the notebook may stop or give other results.',
    computed: 'Stored execution counts decrease in document order.',
    fix: 'Graduation tries document order first, then the recorded order, then orders that follow the data, and keeps the one that reproduces the stored outputs. `--order recorded` chooses.',
  },
  N02: {
    level: 'E',
    basis: 'static',
    title: 'A name is used that nothing defines',
    meaning:
      'The cell that defined it was deleted, or the name exists only in the memory of the kernel that once ran the notebook. A fresh run stops here with a NameError.',
    computed: 'Names read anywhere that no cell binds, that are no builtins, and that no star import could bring.',
    fix: 'A missing import of a well-known alias (`pd`, `np`, `plt`) is added; a misspelt name gets the nearest one; else define it.',
  },
  N03: {
    level: 'E',
    basis: 'static',
    title: 'A name is used above the cell that defines it',
    meaning:
      'From top to bottom the name does not exist yet. The notebook only worked because a lower cell had been run before.',
    computed: 'The first read comes before every definition in document order.',
    fix: 'If one cell defines it and may go first, graduation moves that cell up and shows the diff.',
  },
  N04: {
    level: 'W',
    basis: 'file',
    title: 'Cells were run more often than they stand there',
    meaning:
      'Gaps and repeats in the execution counts: cells were run again, changed or deleted in between. The stored outputs may come from code that is gone.',
    computed: 'The highest execution count, missing and repeated counts.',
    fix: 'Restart the kernel, run all, save. Graduation compares a clean run with the stored outputs.',
  },
  N05: {
    level: 'W',
    basis: 'run',
    title: 'A stored output is stale',
    meaning:
      'A clean run gives another output than the one saved: the cell, or something above it, was changed after it ran.',
    computed: 'Outputs of the observed run differ from the stored ones in a cell that is deterministic.',
    fix: 'The clean run is the reference; the stored output is marked untrusted.',
  },
  N06: {
    level: 'W',
    basis: 'file',
    title: 'A cell was never run, or is empty',
    meaning:
      'Other cells have outputs and counts, this one has none: its code was never part of the result that was saved.',
    computed: 'Code cells without execution count in a notebook that was run.',
    fix: 'Empty cells are dropped. Unexecuted ones stay only if something reads what they define.',
  },
  N07: {
    level: 'E',
    basis: 'static',
    title: 'Running this cell twice gives something else',
    meaning:
      'The cell reads a name that it then overwrites or changes (`df = df.drop(..)`, `x += 1`). Run once too often, as happens in notebooks, the data is different.',
    computed: 'The cell both reads a name from above and rebinds or changes it.',
    fix: 'Each version gets its own step (`v` in, `v` out), so running again is harmless.',
  },
  N08: {
    level: 'E',
    basis: 'static',
    title: 'A cell changes an object that an earlier cell made',
    meaning: 'The object is changed in place, so cells that use it see different data depending on what has run.',
    computed: "Changes (`df['a'] = ..`, `.append`, `inplace=True`, ..) of a name that another cell bound.",
    fix: 'The changed object becomes an output of the step that changes it; readers are bound to the version they saw.',
  },
  N09: {
    level: 'E',
    basis: 'static',
    title: 'Two names share one object, and one of them is changed',
    meaning:
      'After `b = a`, or with a slice or view, a change through one name is seen through the other. Stored and loaded separately they would differ.',
    computed: 'Aliases and views of a name where one side is changed later.',
    fix: 'Names of one object are stored as one unit; views stay in one step. Write `.copy()` where they should be independent.',
  },
  N10: {
    level: 'E',
    basis: 'static',
    title: 'A function reads a variable of the notebook',
    meaning:
      'Its result depends on the value that the variable has when the function is called, which is not visible where it is called.',
    computed: 'Free names of functions, lambdas and classes, followed through the functions that they call.',
    fix: 'They become parameters of the step or of the function.',
  },
  N11: {
    level: 'E',
    basis: 'static',
    title: 'A function changes something outside itself',
    meaning: 'It assigns a global name or changes its argument, so calling it is more than computing a value.',
    computed: '`global` statements, and changes of parameters or globals inside bodies.',
    fix: 'The names that it changes become outputs of the step that calls it.',
  },
  N12: {
    level: 'W',
    basis: 'static',
    title: 'One name stands for different things',
    meaning:
      'The name is bound again to another kind of value, which makes every reading of it depend on the order of cells.',
    computed: 'Several definitions of a name in different cells whose types are known and differ.',
    fix: "Versions get names of their own in the pipeline; the notebook's name is kept inside the step.",
  },
  N13: {
    level: 'W',
    basis: 'static',
    title: 'Star import',
    meaning: '`from m import *` brings names that nobody sees, and may replace names that are in use.',
    computed: '`import *` statements, `%pylab`.',
    fix: 'Replaced by the names that are used.',
  },
  N14: {
    level: 'E',
    basis: 'static',
    title: 'Code that hides what it does',
    meaning: '`exec`, `globals()`, `%run` and their like bind or read names that cannot be seen by reading the code.',
    computed: 'Calls of `exec`, `eval`, `globals`, `locals`, `setattr` on modules, `%run`, `get_ipython()`.',
    fix: 'Inlined when the text is literal, else one opaque step whose outputs are the observed names.',
  },
  N15: {
    level: 'W',
    basis: 'static',
    title: 'A magic has to be converted',
    meaning: 'Magics work in IPython only.',
    computed: "Line and cell magics, as IPython's own transformer reads them.",
    fix: '`%matplotlib`, `%config` are dropped; `%%time` and the like keep their body; `%%sql` becomes a query; `%%bash` a shell step. Unknown ones are refused with the reason.',
  },
  N16: {
    level: 'E',
    basis: 'static',
    title: 'A shell command with an effect',
    meaning: '`!pip install`, `!wget` and captured commands change the machine or read what is on it.',
    computed: '`!` and `%%bash` lines, their first word and whether the result is used.',
    fix: '`pip install` becomes a dependency, downloads become sources, the rest is declared as a shell step.',
  },
  N17: {
    level: 'E',
    basis: 'static',
    title: 'Packages without versions',
    meaning:
      'Nothing says which versions of the packages the notebook needs. More than half of all notebooks that no longer run fail here.',
    computed: 'Imports whose package no requirements file, lock or environment file names.',
    fix: '`cellmill packages lock` writes exact versions; graduation does it from the environment that ran the notebook.',
  },
  N18: {
    level: 'E',
    basis: 'static',
    title: 'Something that newer versions removed',
    meaning: 'The name existed in older versions of the package and is gone, or changed its meaning.',
    computed: 'A catalogue of removed and renamed names.',
    fix: 'Rewritten and proven, or the older version is locked.',
  },
  N19: {
    level: 'E',
    basis: 'static',
    title: 'A module beside the notebook is imported',
    meaning: 'It is code that the notebook needs and that is easily left behind.',
    computed: 'Imports that resolve to a file in the project.',
    fix: 'The module travels with the step and is part of its fingerprint.',
  },
  N20: {
    level: 'E',
    basis: 'static',
    title: 'A path that exists on one machine only',
    meaning: "The path is absolute or belongs to one person's home folder, to Colab or to Kaggle. Nobody else has it.",
    computed: 'Literal paths such as `C:\\`, `/Users/`, `/home/`, `/content/drive`, `/kaggle/input`.',
    fix: 'Becomes a source; a file of the same name in the project is found and used.',
  },
  N21: {
    level: 'E',
    basis: 'static',
    title: 'A data file is missing',
    meaning: 'The notebook reads a file that is not in the project.',
    computed:
      'Literal paths given to reading calls, looked up beside the notebook and in the project, except those the notebook writes itself.',
    fix: 'Searched by name in the project; else name it with `--source`.',
  },
  N22: {
    level: 'E',
    basis: 'static',
    title: 'A file carries data from one cell to another',
    meaning:
      'One cell writes a file that a later cell reads. The order of the two matters and cannot be seen in the variables.',
    computed: 'Writes and later reads of the same path.',
    fix: 'The file becomes an asset and the order an edge.',
  },
  N23: {
    level: 'E',
    basis: 'static',
    title: 'A file is overwritten that the notebook also reads',
    meaning: 'The second run starts from other data than the first.',
    computed: 'Reads, then writes of the same path.',
    fix: 'The input is copied into a version; writing in place is refused.',
  },
  N24: {
    level: 'E',
    basis: 'static',
    title: 'A database table carries data from one cell to another',
    meaning: 'One cell writes a table that a later cell queries.',
    computed: 'Table names in SQL texts and `to_sql`.',
    fix: 'The table becomes an edge between steps.',
  },
  N25: {
    level: 'W',
    basis: 'static',
    title: 'Data comes from the network',
    meaning: 'The data may change or vanish between two runs.',
    computed: 'Addresses given to reading calls.',
    fix: 'Captured once as a source with a content hash and a refresh policy.',
  },
  N26: {
    level: 'E',
    basis: 'static',
    title: 'A secret in the notebook',
    meaning: 'A password, token or key is written in the code or in a stored output. Whoever gets the file has it.',
    computed:
      'Known key formats, names such as `password` and `token` with literal values, connection strings, in code and outputs.',
    fix: 'Moved to a secret of the environment. Revoke it: it is in the history of the file.',
  },
  N27: {
    level: 'I',
    basis: 'static',
    title: 'Values that could be parameters',
    meaning: 'A named constant steers the result. Named once, it can be set per run or environment.',
    computed: 'Upper-case names, or cells tagged `parameters`, assigned once to a literal.',
    fix: "Becomes a typed parameter with the notebook's value as default.",
  },
  N28: {
    level: 'E',
    basis: 'static',
    title: 'Random numbers without a seed',
    meaning: 'Two runs give two results.',
    computed:
      'Draws from the global generators, `default_rng()` and estimators without `random_state`, with no seed above them.',
    fix: "Generators are seeded per asset and this is said; `random='fresh'` keeps drawing anew.",
  },
  N29: {
    level: 'E',
    basis: 'static',
    title: 'One random generator is shared by several cells',
    meaning: 'The numbers that a cell draws depend on how many were drawn before it in other cells.',
    computed: 'One seed, then draws in more than one cell.',
    fix: "The generator's state is passed on (`after_random`), or the cells become one step.",
  },
  N30: {
    level: 'W',
    basis: 'static',
    title: 'The result depends on the time, the machine or an order that is not fixed',
    meaning: 'Clock, host name, unsorted folder listings and iteration over sets differ between runs.',
    computed: '`now()`, `today()`, `uuid4`, `os.listdir`, `glob`, iteration over sets.',
    fix: 'A logical time parameter, sorting, or a fixed value.',
  },
  N31: {
    level: 'E',
    basis: 'static',
    title: 'A setting of the whole process is changed for later cells',
    meaning: 'Working folder, environment, options, warnings filters and styles stay changed for every cell below.',
    computed: 'Calls and assignments known to set process-wide state, with later cells that it may affect.',
    fix: 'Collected in a `@setup` function that runs before each step, in order.',
  },
  N32: {
    level: 'E',
    basis: 'static',
    title: 'Something that cannot be stored is used by several cells',
    meaning: 'Open files, connections, locks and the like live in one process only.',
    computed: 'Types known to hold a resource that another cell uses.',
    fix: 'Producer and consumers stay together, or the resource is opened again in the consumer.',
  },
  N33: {
    level: 'E',
    basis: 'static',
    title: 'An iterator is used up across cells',
    meaning: '`zip`, `map`, generators and readers give their items once. The second cell that uses it gets nothing.',
    computed: 'Names bound to iterators that another cell reads.',
    fix: 'Merged into one step, or turned into a list when finite.',
  },
  N34: {
    level: 'W',
    basis: 'run',
    title: 'A class of the notebook is the type of stored values',
    meaning: "Such values cannot be loaded where the notebook's code is not.",
    computed: 'Values of the observed run whose class is defined in the notebook.',
    fix: 'The class moves to a module of the project.',
  },
  N35: {
    level: 'I',
    basis: 'static',
    title: 'The cell only shows something',
    meaning: 'It computes nothing that another cell uses.',
    computed: 'A last expression or plot, no name bound that is read later, no write.',
    fix: 'Becomes a report, off the critical path.',
  },
  N36: {
    level: 'W',
    basis: 'static',
    title: 'The value shown is made by a call that changes data',
    meaning:
      "It looks like a display but changes an object (`df.pop('x')`, `model.fit(..)`): without the cell, later results differ.",
    computed: 'A last expression that is a call known to change its receiver.',
    fix: 'Kept as part of the pipeline, not treated as a display.',
  },
  N37: {
    level: 'W',
    basis: 'static',
    title: 'A plot is drawn across cells',
    meaning:
      'The notebook shows and closes figures at the end of each cell: what a later cell draws on them is not seen, and settings of the current figure (`plt.title`) apply to a new, empty one.',
    computed: 'Figures and axes used in a later cell; pyplot settings in cells that draw nothing.',
    fix: 'Cells that draw one figure are merged.',
  },
  N38: {
    level: 'W',
    basis: 'static',
    title: 'It uses the interactive history',
    meaning: '`_`, `Out[3]`, `input()`, `exit()` depend on how the notebook was operated.',
    computed: "Names of IPython's history; calls of `input`, `exit`, `quit`.",
    fix: '`_` becomes the expression above; `input()` a parameter.',
  },
  N39: {
    level: 'I',
    basis: 'file',
    title: 'The cell ends in an error on purpose',
    meaning: 'It stores an error, or is tagged `raises-exception`.',
    computed: 'Stored error outputs and tags.',
    fix: 'Dropped, or kept as an expected failure.',
  },
  N40: {
    level: 'W',
    basis: 'static',
    title: 'Python 2 code',
    meaning: 'Python 3 cannot read it.',
    computed: 'The cell does not parse, and has the marks of Python 2 (`print x`, `except E, e`, `<>`).',
    fix: 'A converted draft is offered, marked as such.',
  },
  N41: {
    level: 'E',
    basis: 'static',
    title: 'The model may have seen the test data',
    meaning: 'Preprocessing was fitted before the split, or the test set is fitted on. The score is then too good.',
    computed: 'Flow of data through `fit_transform`, `train_test_split`, `fit` and `score`.',
    fix: 'None is automatic. Put the preprocessing into a `Pipeline` and split first.',
  },
  N42: {
    level: 'W',
    basis: 'file',
    title: 'Hard to read and to maintain',
    meaning: 'Very long cells, or many cells without one heading.',
    computed: 'Lines per cell, headings, functions.',
    fix: 'Steps are cut and named; contract tests are written from the observed schemas.',
  },
  N43: {
    level: 'W',
    basis: 'file',
    title: 'Large data in the notebook',
    meaning: 'The file is slow to open, to compare and to keep in version control.',
    computed: 'Size of the file, of outputs and of literals.',
    fix: 'Data moves to a file; outputs are cleared.',
  },
  N44: {
    level: 'W',
    basis: 'file',
    title: 'Several languages, or a kernel that does not fit',
    meaning: 'The kernel named is not the one that saved the notebook, or cells in other languages are mixed in.',
    computed: 'Kernel metadata, cell magics of other languages.',
    fix: 'One step per language.',
  },
  N45: {
    level: 'W',
    basis: 'run',
    title: 'A slow cell',
    meaning: 'Every run pays for it.',
    computed: 'Time in the observed run.',
    fix: 'Becomes a step of its own, whose result is reused.',
  },
  N46: {
    level: 'W',
    basis: 'static',
    title: 'Something keeps running after the cell',
    meaning: 'Threads, processes or tasks that outlive the cell make results depend on timing.',
    computed: '`await` at the top, threads, `Popen` and tasks that are started and not waited for.',
    fix: 'Awaited inside the step; what stays alive is refused.',
  },
  N47: {
    level: 'W',
    basis: 'static',
    title: 'Widgets hold values',
    meaning: 'The value depends on what somebody clicked.',
    computed: 'ipywidgets, `interact`, widget outputs.',
    fix: 'Frozen at its default, or a parameter.',
  },
  N48: {
    level: 'E',
    basis: 'static',
    title: 'It acts on the outside world',
    meaning: 'Writing to a database, posting, uploading or sending mail cannot be undone by running again.',
    computed: 'Calls known to act on other systems.',
    fix: 'Becomes an `@effect`: once per release, never during a proof.',
  },
  N49: {
    level: 'E',
    basis: 'static',
    title: 'The cell cannot be read',
    meaning: 'It is not valid Python, so it cannot run and nothing is known of it.',
    computed: "The interpreter's own parser refuses it after IPython's syntax was taken out.",
    fix: 'Correct it, or make it a Markdown cell.',
  },
  N50: {
    level: 'W',
    basis: 'static',
    title: 'All warnings are switched off',
    meaning: 'Warnings announce changed behaviour and doubtful numbers; nobody will see them.',
    computed: "`warnings.filterwarnings('ignore')`, `simplefilter('ignore')` without category.",
    fix: 'Name the category or module that is meant.',
  },
  N51: {
    level: 'W',
    basis: 'static',
    title: 'Errors are hidden',
    meaning: 'A bare `except:` or `except Exception: pass` turns a failure into a silently different result.',
    computed: 'Handlers that catch everything and do nothing.',
    fix: 'Catch the error that is meant.',
  },
  N52: {
    level: 'W',
    basis: 'static',
    title: 'Chained assignment',
    meaning:
      "`df[mask]['a'] = 1` changes a copy or the frame, depending on the version of pandas; since 3.0 never the frame.",
    computed: 'Assignment through two subscripts of a frame.',
    fix: "Write `df.loc[mask, 'a'] = 1`.",
  },
  N53: {
    level: 'W',
    basis: 'static',
    title: 'A pickle is loaded',
    meaning: 'Loading a pickle runs code that is in it, and depends on the versions that wrote it.',
    computed: '`pickle.load`, `joblib.load`, `torch.load`, `pd.read_pickle`.',
    fix: 'Load only what the project made; prefer Parquet for data.',
  },
  N54: {
    level: 'W',
    basis: 'static',
    title: 'Certificates are not checked',
    meaning: 'With `verify=False` anybody on the way can change the data.',
    computed: 'The keyword in calls of HTTP libraries; unverified SSL contexts.',
    fix: "Remove it, or name the authority's certificate.",
  },
  N55: {
    level: 'E',
    basis: 'static',
    title: 'Input is run as code',
    meaning: 'Text from outside goes to `eval` or `exec`.',
    computed: '`eval` or `exec` of a value that comes from `input` or a read.',
    fix: 'Parse it: `ast.literal_eval`, `json.loads`.',
  },
  N56: {
    level: 'W',
    basis: 'static',
    title: 'SQL is put together from variables',
    meaning: 'A value with a quote breaks the query or changes it.',
    computed: 'SQL texts made with f-strings, `%`, `+` or `.format` passed to a database call.',
    fix: 'Pass values as parameters of the query.',
  },
  N57: {
    level: 'W',
    basis: 'file',
    title: 'Personal data is shown',
    meaning: 'Stored outputs hold e-mail addresses or the like; they travel with the file.',
    computed: 'E-mail addresses and card numbers in stored outputs.',
    fix: 'Clear the outputs, or show counts.',
  },
  N58: {
    level: 'W',
    basis: 'static',
    title: 'Local time zone',
    meaning: 'Times without zone mean something else on another machine.',
    computed: '`datetime.fromtimestamp`, `time.localtime` without a zone, time zones taken from the machine.',
    fix: 'Give the zone: `datetime.fromtimestamp(t, tz=timezone.utc)`.',
  },
  N59: {
    level: 'I',
    basis: 'static',
    title: 'A fixed date',
    meaning: 'The code holds a date at which it stops being right, or never moves on.',
    computed: 'Dates as literals in comparisons, ranges and filters.',
    fix: 'A parameter, or the logical time of the run.',
  },
} as const satisfies Record<string, Entry>

export type DefectCode = keyof typeof entries

function defectOf(code: DefectCode): Defect {
  const { level, basis, title, meaning, computed, fix }: Entry = entries[code]
  const explanation = `${meaning}\n\nFound by: ${computed}\n\nWhat is done: ${fix}\n\n${LEVELS[level]}`
  return { code, level, basis, title, explanation, computed, fix }
}

export const defectCodes: readonly DefectCode[] = Object.keys(entries) as DefectCode[]

export const defects: Readonly<Record<DefectCode, Defect>> = Object.fromEntries(
  defectCodes.map((code) => [code, defectOf(code)]),
) as Record<DefectCode, Defect>
