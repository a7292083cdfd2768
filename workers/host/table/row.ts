// The shape of a row in the table of imports. Owns types only.

export type ImportClass =
  /** Implemented, by the family of that name. */
  | 'file'
  | 'descriptor'
  | 'clock'
  | 'entropy'
  | 'memory'
  | 'signal'
  | 'process'
  | 'library'
  /** Does nothing and returns an error number to C code. */
  | 'stub-errno'
  /** Does nothing and returns a constant. */
  | 'stub-value'
  /** Throws InterpreterEnd. */
  | 'ends-interpreter'

export interface ImportRow {
  readonly module: 'env' | 'wasi_snapshot_preview1'
  readonly name: string
  readonly class: ImportClass
  readonly why: string
  /** What a stub returns. */
  readonly value?: number | null
}

export const WORKING_CLASSES: readonly ImportClass[] = [
  'file',
  'descriptor',
  'clock',
  'entropy',
  'memory',
  'signal',
  'process',
  'library',
]
