// What a baseline looks like to a benchmark: something that runs Python and says what came of it.

export interface Ran {
  /** `repr()` of the last expression's value where the code ends with one. */
  readonly repr: string
  readonly stdout: string
}

export interface Runner {
  run(code: string): Promise<Ran>
  stop(): Promise<void>
}
