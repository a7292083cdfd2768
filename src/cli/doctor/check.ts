// What a check of `brumate doctor` says.

export interface Finding {
  /** One or two words. */
  readonly name: string
  readonly status: 'ok' | 'warning' | 'problem'
  readonly message: string
  /** What to do, unless all is well. */
  readonly fix?: string
}
