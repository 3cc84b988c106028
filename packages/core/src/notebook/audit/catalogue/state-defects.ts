/** Defects of notebooks: order, names and state. Codes are permanent; the types are in ../defects.ts. */
export const stateDefects = {
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
    fix: 'Literal texts, main guards and files run by `%run` are put where they run, each shown as a diff; the rest is refused.',
  },
  N15: {
    level: 'W',
    basis: 'static',
    title: 'A magic has to be converted',
    meaning: 'Magics work in IPython only.',
    computed: "Line and cell magics, as IPython's own transformer reads them.",
    fix: '`%matplotlib`, `%config` are dropped; `%%time` and the like keep their body; `%%sql` is refused with the `duckdb.sql` to write; `%%bash` a shell step. Unknown ones are refused with the reason.',
  },
  N16: {
    level: 'E',
    basis: 'static',
    title: 'A shell command with an effect',
    meaning: '`!pip install`, `!wget` and captured commands change the machine or read what is on it.',
    computed: '`!` and `%%bash` lines, their first word and whether the result is used.',
    fix: '`pip install` becomes a dependency, downloads become sources, the rest is declared as a shell step.',
  },
} as const
