/** What the parent tells the step's process, as one line on stdin: secrets never touch the disk. */
export interface StepRequest {
  readonly module: string
  readonly codeRoot: string
  readonly symbol: string
  readonly id: string
  readonly kind: 'asset' | 'check' | 'report' | 'effect'
  readonly sdkUrl: string
  readonly inputs: readonly RequestInput[]
  readonly outputs: readonly {
    readonly output: string
    readonly asset: string
    readonly kind: string
    readonly kindDeclared: boolean
  }[]
  readonly parameters: Readonly<Record<string, unknown>>
  readonly projectParameters: Readonly<Record<string, unknown>>
  readonly runTime: string
  readonly seed: string
  readonly isFresh: boolean
  readonly idempotencyKey: string
  readonly secrets: Readonly<Record<string, string>>
  readonly outputFolder: string
  readonly workFolder: string
  readonly exportName: string | null
  readonly threads: number
}

export interface RequestInput {
  readonly argument: string
  readonly name: string
  readonly form: string
  /** `rows` or `columns`, for tables. */
  readonly annotation: string
  readonly columns: readonly string[] | null
  readonly origin: 'asset' | 'source'
  readonly codec: string
  /** Absolute, as this process sees it. */
  readonly folder: string
  readonly files: readonly string[]
  readonly isGlob: boolean
  readonly options: Readonly<Record<string, unknown>>
}
