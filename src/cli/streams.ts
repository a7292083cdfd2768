// What a command line reads and writes: the streams of the process, or a test's. Owns their types, and nothing of what is written.

export interface OutputStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** What commands use of `process.stdin`. */
export type InputStream = NodeJS.ReadStream

export interface Streams {
  /** Read only by commands that need it: merely asking for the process's stdin opens it. */
  readonly stdin?: InputStream
  readonly stdout: OutputStream
  readonly stderr: OutputStream
}
