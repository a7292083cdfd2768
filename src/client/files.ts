// The files of a session on the server, with the methods of `session.files`. Owns the request that each method sends.
import type { ReadableStream, WritableStream } from 'node:stream/web'
import { isBoolean, isSignal, known, numberOption } from '../options/check.js'
import type { WireFileStatus } from '../presentation/wire.js'
import type { PythonSessionFiles } from '../session/python-session.js'
import type { Bytes } from '../shared/bytes.js'
import { InvalidOptionError } from '../shared/errors.js'
import { isUint8Array } from '../shared/realms.js'
import type { FileOptions, StorageStatus } from '../vfs/storage.js'
import { ServerError } from './server-error.js'
import type { RequestOptions, StreamedResponse, Transport } from './transport.js'

export interface FilesContext {
  readonly transport: Transport
  readonly sessionId: string
  /** The session's path on the server. */
  readonly path: string
  /** Runs a request as one of the session. */
  run<T>(request: () => Promise<T>): Promise<T>
}

type Encoding = { readonly encoding?: BufferEncoding | undefined }

/** Works like `SessionFiles`: paths are absolute, errors are StorageErrors. */
export class RemoteFiles implements PythonSessionFiles {
  readonly #context: FilesContext

  /** @internal */
  constructor(context: FilesContext) {
    this.#context = context
  }

  /** Reads a file as bytes or as text. In browsers, the only encoding is UTF-8. */
  readFile(path: string, options?: FileOptions & { readonly encoding?: undefined }): Promise<Bytes>
  readFile(
    path: string,
    options: BufferEncoding | (FileOptions & { readonly encoding: BufferEncoding }),
  ): Promise<string>
  async readFile(
    path: string,
    options: BufferEncoding | (FileOptions & Encoding) = {},
  ): Promise<Bytes | string> {
    const { encoding, ...rest } = typeof options === 'string' ? { encoding: options } : options
    const decode = encoding === undefined ? undefined : decoderOf(encoding)
    const bytes = await this.#bytes('', rest, path)
    return decode === undefined ? bytes : decode(bytes)
  }

  async writeFile(path: string, data: Uint8Array | string, options: FileOptions = {}): Promise<void> {
    const body = typeof data === 'string' ? new TextEncoder().encode(data) : data
    if (!isUint8Array(body)) throw new InvalidOptionError('data', 'a Uint8Array or a string', data)
    await this.#send('PUT', '', options, { query: { path: textOf(path) }, body })
  }

  async list(path: string, options: FileOptions = {}): Promise<string[]> {
    const { names } = await this.#json<{ names: string[] }>('/list', options, { path: textOf(path) })
    return names
  }

  async stat(
    path: string,
    options: FileOptions & { readonly followLinks?: boolean } = {},
  ): Promise<StorageStatus> {
    const { followLinks, ...rest } = options
    const query = { path: textOf(path), followLinks: isBoolean('followLinks', followLinks) }
    const { kind, sizeBytes, mode, modifiedAt } = await this.#json<WireFileStatus>('/stat', rest, query)
    return { kind, sizeBytes, mode, modifiedAt: new Date(modifiedAt) }
  }

  async remove(path: string, options: FileOptions & { readonly recursive?: boolean } = {}): Promise<void> {
    const { recursive, ...rest } = options
    const query = { path: textOf(path), recursive: isBoolean('recursive', recursive) }
    await this.#send('DELETE', '', rest, { query, isRepeatable: false })
  }

  async rename(from: string, to: string, options: FileOptions = {}): Promise<void> {
    const json = { from: textOf(from), to: textOf(to) }
    await this.#send('POST', '/rename', options, { json, isRepeatable: false })
  }

  async mkdir(path: string, options: FileOptions & { readonly recursive?: boolean } = {}): Promise<void> {
    const { recursive, ...rest } = options
    const isRecursive = isBoolean('recursive', recursive) ?? false
    const json = { path: textOf(path), recursive: isRecursive }
    await this.#send('POST', '/mkdir', rest, { json, isRepeatable: isRecursive })
  }

  /** Reads a large file as a stream. `start` and `end` choose the bytes from `start` up to, but not including, `end`; default: all. */
  createReadStream(
    path: string,
    options: FileOptions & { readonly start?: number; readonly end?: number } = {},
  ): ReadableStream<Uint8Array> {
    const { start, end, ...rest } = options
    const given = signalOf(rest)
    const cancelled = new AbortController()
    const signal = given ? AbortSignal.any([given, cancelled.signal]) : cancelled.signal
    const context = this.#context
    const { transport } = context
    const query = { path: textOf(path) }
    const headers = rangeOf(position('start', start, 0), position('end', end, Number.MAX_SAFE_INTEGER))
    const request = { query, signal, headers, sessionId: context.sessionId, accept: '*/*' }
    async function* parts(): AsyncGenerator<Uint8Array, void> {
      if (end !== undefined && end <= (start ?? 0)) return
      let opened: StreamedResponse
      try {
        opened = await context.run(() => transport.stream('GET', `${context.path}/files`, request))
      } catch (error) {
        // The range begins at the end of the file or later.
        if (error instanceof ServerError && error.status === 416) return
        throw error
      }
      const { response, timer } = opened
      try {
        const reader = response.body?.getReader()
        for (;;) {
          const part = await reader?.read()
          // Whoever reads the stream may take any time for a part.
          timer.pause()
          if (part?.value === undefined) return
          yield part.value
          timer.restart()
        }
      } catch (error) {
        throw transport.failure(error, timer, signal)
      } finally {
        timer.stop()
        await response.body?.cancel().catch(() => {})
      }
    }
    return streamOf(parts(), () => cancelled.abort())
  }

  /** Collects what is written, and sends it when the stream is closed: browsers cannot send streams as request bodies. */
  createWriteStream(path: string, options: FileOptions = {}): WritableStream<Uint8Array> {
    const name = textOf(path)
    signalOf(options)
    const parts: Uint8Array[] = []
    return new globalThis.WritableStream<Uint8Array>({
      write: (chunk) => {
        if (!isUint8Array(chunk)) throw new InvalidOptionError('chunk', 'a Uint8Array', chunk)
        parts.push(chunk.slice())
      },
      close: async () => {
        const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
        let at = 0
        for (const part of parts) {
          bytes.set(part, at)
          at += part.length
        }
        await this.writeFile(name, bytes, options)
      },
    })
  }

  #bytes(path: string, options: FileOptions, file: string): Promise<Bytes> {
    const signal = signalOf(options)
    const { transport, sessionId, path: base, run } = this.#context
    const query = { path: textOf(file) }
    return run(() => transport.bytes('GET', `${base}/files${path}`, { query, signal, sessionId }))
  }

  #json<T>(path: string, options: FileOptions, query: RequestOptions['query'] & object): Promise<T> {
    const signal = signalOf(options)
    const { transport, sessionId, path: base, run } = this.#context
    return run(() => transport.json<T>('GET', `${base}/files${path}`, { query, signal, sessionId }))
  }

  #send(method: string, path: string, options: FileOptions, request: RequestOptions): Promise<void> {
    const signal = signalOf(options)
    const { transport, sessionId, path: base, run } = this.#context
    const all = { isRepeatable: true, ...request, signal, sessionId }
    return run(() => transport.send(method, `${base}/files${path}`, all))
  }
}

const position = numberOption({ min: 0, max: Number.MAX_SAFE_INTEGER, integer: true })

function rangeOf(start: number, end: number): Readonly<Record<string, string>> {
  if (start === 0 && end === Number.MAX_SAFE_INTEGER) return {}
  // A range includes its last byte.
  return { range: `bytes=${start}-${end === Number.MAX_SAFE_INTEGER ? '' : Math.max(0, end - 1)}` }
}

function signalOf(options: FileOptions): AbortSignal | undefined {
  known('options', options, ['signal'])
  return isSignal('signal', options.signal)
}

function textOf(path: unknown): string {
  if (typeof path !== 'string' || !path.startsWith('/'))
    throw new InvalidOptionError('path', 'an absolute path', path)
  return path
}

/** @throws InvalidOptionError */
function decoderOf(encoding: string): (bytes: Bytes) => string {
  if (/^utf-?8$/i.test(encoding))
    return (bytes) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  const { Buffer } = globalThis as { Buffer?: typeof import('node:buffer').Buffer }
  if (!Buffer?.isEncoding(encoding))
    throw new InvalidOptionError('encoding', 'an encoding that is known here, such as "utf8"', encoding)
  return ({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength).toString(encoding as BufferEncoding)
}

/**
 * A stream that reads only when its consumer asks for more.
 *
 * @param end ends a read in progress: without it, the generator would return only when the read is done
 */
function streamOf(parts: AsyncGenerator<Uint8Array, void>, end: () => void): ReadableStream<Uint8Array> {
  return new globalThis.ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await parts.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        end()
        await parts.return()
      },
    },
    { highWaterMark: 0 },
  ) as ReadableStream<Uint8Array>
}
