// The interface of a baseline: it runs Python, and returns the result.

export interface Ran {
  /** `repr()` of the last expression's value, if the code ends with an expression. */
  readonly repr: string
  readonly stdout: string
}

export interface Runner {
  run(code: string): Promise<Ran>
  stop(): Promise<void>
}
