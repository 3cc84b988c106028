/** What `audit` prints: the stable shape of INTERFACES.md. `cell` is the 0-based index in the file's cell list. */
export type DefectLevel = 'E' | 'W' | 'I'
export interface Finding {
  readonly code: string
  readonly level: DefectLevel
  readonly basis: 'static' | 'file' | 'run'
  readonly cell: number | null
  readonly line: number | null
  readonly message: string
  readonly evidence: string
  readonly fix: { readonly kind: 'automatic' | 'manual'; readonly diff: string } | null
}

export interface AuditResult {
  readonly notebook: string
  readonly language: string
  readonly runnable: boolean | null
  readonly order: 'document' | 'recorded' | 'repaired'
  readonly findings: readonly Finding[]
  readonly notChecked: readonly string[]
}
