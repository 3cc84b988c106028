/** A notebook that no cut makes safe: the refusal's code, the statement and why. */
export class CutError extends Error {
  readonly unit: number
  readonly code: string
  constructor(code: string, unit: number, message: string) {
    super(message)
    this.name = 'CutError'
    this.code = code
    this.unit = unit
  }
}
