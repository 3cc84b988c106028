/** One step of the schema. Applied in one transaction with its row in `schema_version`; never edited once released. */
export interface Migration {
  readonly version: number
  readonly name: string
  readonly statements: readonly string[]
}
