// What a command line reads from and writes to: the streams of the process, or those of a test. Owns only their types.

export interface OutputStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** The interface of `process.stdin` that commands use. */
export type InputStream = NodeJS.ReadStream

export interface Streams {
  /** Access it only in commands that read it: accessing the process's stdin opens it. */
  readonly stdin?: InputStream
  readonly stdout: OutputStream
  readonly stderr: OutputStream
}
