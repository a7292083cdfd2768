// The result of a check of `brumate doctor`.

export interface Finding {
  /** One or two words. */
  readonly name: string
  readonly status: 'ok' | 'warning' | 'problem'
  readonly message: string
  /** What to do, if there is a problem or a warning. */
  readonly fix?: string
}
