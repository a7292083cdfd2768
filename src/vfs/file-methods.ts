// The common part of the methods of `VfsStorage` and of `session.files`. Owns the validation of their arguments, the form of their results,
// and how a signal cancels a call.
import { isSignal, known } from '../options/check.js'
import type { Bytes } from '../shared/bytes.js'
import { CancelledError, InvalidOptionError } from '../shared/errors.js'
import type { FileStatus } from '../shared/messages/storage.js'
import { isUint8Array } from '../shared/realms.js'
import { messageBytes } from './bytes.js'

export interface FileOptions {
  /** Aborting it rejects the call. Does not undo what has already reached the storage. */
  readonly signal?: AbortSignal
}

export interface StorageStatus {
  readonly kind: 'file' | 'directory' | 'symlink'
  readonly sizeBytes: number
  /** Permission bits. */
  readonly mode: number
  readonly modifiedAt: Date
}

export type ReadFileOptions = FileOptions & { readonly encoding?: BufferEncoding | undefined }

/** Returns the options without the encoding, and a function that converts a file's bytes to the result. */
export function readFileOptions(options: BufferEncoding | ReadFileOptions): {
  readonly rest: FileOptions
  readonly answer: (bytes: Uint8Array) => Bytes | string
} {
  const { encoding, ...rest } = typeof options === 'string' ? { encoding: options } : options
  if (encoding !== undefined && !Buffer.isEncoding(encoding))
    throw new InvalidOptionError('encoding', 'an encoding that Buffer knows, such as "utf8"', encoding)
  return {
    rest,
    answer: (bytes) =>
      encoding === undefined
        ? // A thread sends a copy, never shared memory.
          (bytes as Bytes)
        : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding),
  }
}

/** Converts the data for a file to bytes that can be sent to a thread. */
export function fileData(data: Uint8Array | string): Uint8Array {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data
  if (!isUint8Array(bytes)) throw new InvalidOptionError('data', 'a Uint8Array or a string', data)
  return messageBytes('data', bytes)
}

export function statusOf({ modifiedMs, ...status }: FileStatus): StorageStatus {
  return { ...status, modifiedAt: new Date(modifiedMs) }
}

/** Makes a call that rejects when the signal aborts; the operation itself may continue. @throws CancelledError */
export async function withSignal<T>(options: FileOptions, call: () => Promise<T>): Promise<T> {
  known('options', options, ['signal'])
  const signal = isSignal('signal', options.signal)
  if (signal === undefined) return call()
  if (signal.aborted) throw new CancelledError('not-started', { cause: signal.reason })
  const called = call()
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(new CancelledError('interrupted', { cause: signal.reason }))
    signal.addEventListener('abort', onAbort)
    called.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
