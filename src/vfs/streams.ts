// Large files of a storage as web streams. Owns the open file of each stream. Each part is one request, made when the consumer asks for it.

import { ReadableStream, WritableStream } from 'node:stream/web'
import { CancelledError, InvalidOptionError } from '../shared/errors.js'
import { isUint8Array } from '../shared/realms.js'
import { messageBytes } from './bytes.js'
import type { StorageThread } from './thread.js'

const PART_BYTES = 1024 * 1024

export function readStream(
  thread: StorageThread,
  path: string,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  return fromParts(readParts(thread, path), signal)
}

/** Creates a stream of what a generator yields. Ending the stream ends the generator. */
export function fromParts(
  parts: AsyncGenerator<Uint8Array, void>,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          if (signal?.aborted) throw new CancelledError('interrupted', { cause: signal.reason })
          const { done, value } = await parts.next()
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          await parts.return()
          controller.error(error)
        }
      },
      async cancel() {
        await parts.return()
      },
    },
    { highWaterMark: 0 },
  )
}

async function* readParts(thread: StorageThread, path: string): AsyncGenerator<Uint8Array, void> {
  const { node } = await thread.call('open', path, false)
  try {
    for (let position = 0; ; ) {
      const part = await thread.call('readAt', node, position, PART_BYTES)
      if (part.length === 0) return
      position += part.length
      yield part
    }
  } finally {
    if (!thread.isClosed) await thread.call('release', node)
  }
}

export function writeStream(
  thread: StorageThread,
  path: string,
  signal: AbortSignal | undefined,
): WritableStream<Uint8Array> {
  let node: number | undefined
  let position = 0
  const release = async () => {
    if (node !== undefined && !thread.isClosed) await thread.call('release', node)
    node = undefined
  }
  return new WritableStream<Uint8Array>({
    async start() {
      node = (await thread.call('open', path, true)).node
    },
    async write(chunk) {
      try {
        if (signal?.aborted) throw new CancelledError('interrupted', { cause: signal.reason })
        if (!isUint8Array(chunk)) throw new InvalidOptionError('chunk', 'a Uint8Array', chunk)
        // Write in parts, so that sessions do not have to wait for a large chunk.
        let at = 0
        do {
          const part = messageBytes('chunk', chunk, at, Math.min(at + PART_BYTES, chunk.length))
          await thread.call('writeAt', node ?? 0, position, part)
          position += part.length
          at += part.length
        } while (at < chunk.length)
      } catch (error) {
        await release()
        throw error
      }
    },
    close: release,
    abort: release,
  })
}
