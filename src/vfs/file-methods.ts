// What the methods of `VfsStorage` and of `session.files` have in common. Owns the checks of their arguments, the form of their answers,
// and how a signal ends a call.
import { isSignal, known } from '../options/check.js'
import type { Bytes } from '../shared/bytes.js'
import { CancelledError, InvalidOptionError } from '../shared/errors.js'
import type { FileStatus } from '../shared/messages/storage.js'
import { isUint8Array } from '../shared/realms.js'
import { messageBytes } from './bytes.js'

export interface FileOptions {
  /** Aborting rejects the call; what has reached the storage by then is done. */
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

/** The options without the encoding, and what makes the answer of a file's bytes. */
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

/** What is to be written to a file, as bytes of its own. */
export function fileData(data: Uint8Array | string): Uint8Array {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data
  if (!isUint8Array(bytes)) throw new InvalidOptionError('data', 'a Uint8Array or a string', data)
  return messageBytes('data', bytes)
}

export function statusOf({ modifiedMs, ...status }: FileStatus): StorageStatus {
  return { ...status, modifiedAt: new Date(modifiedMs) }
}

/** Makes a call that the signal rejects; what it does may go on. @throws CancelledError */
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
