/** A result or an input that does not keep to the contract: the author's to correct, without a stack of ours. */
export class StepProblem extends Error {
  readonly hint: string

  constructor(message: string, hint: string) {
    super(message)
    this.name = 'StepProblem'
    this.hint = hint
  }
}
