/** The catalogue of diagnostics: each permanent code with its explanation for `cellmill explain CODE`. */
export const diagnosticCatalogue = {
  D001: 'Python file does not parse.',
  D002: 'SQL file does not parse, or holds more than one statement, or something else than a query.',
  D003: 'TypeScript file does not parse, or uses syntax that type stripping cannot run.',
  D004: 'The configuration is invalid.',
  D010: 'An input names nothing in the project.',
  D011: 'An input name is ambiguous: several assets end in it.',
  D012: 'Assets depend on each other in a circle.',
  D013: 'Two things have the same name.',
  D014: 'The name is not a valid name.',
  D020: 'An option is unknown, or its value has the wrong type, or is not a literal.',
  D021: "A parameter's default has a type that parameters cannot have.",
  D022: 'A project parameter is declared twice with different defaults.',
  D023: 'The value given for a parameter has the wrong type.',
  D024: 'A parameter is named that nothing declares.',
  D030: 'The asset reads a clock, randomness or the network and does not declare `refresh`.',
  D031: 'The query reads a file or an address directly; declare it as a source.',
  D032: 'The query uses a function that only another engine has, or a statement that is not a query.',
  D040: 'A source names a file that is not there.',
  D041: 'The package is imported but is not in the lock.',
  D042: 'The signature of a step cannot be understood (*args, **kwargs, missing outputs).',
  D043: 'A check names nothing in the project, or has an unknown severity.',
  D050: 'The asset draws random numbers without a seed of its own: generators are seeded per asset.',
  D051: 'The closure cannot be read precisely (computed names): the whole text of all modules reached counts.',
} as const

export type DiagnosticCode = keyof typeof diagnosticCatalogue
