// Reads the request bodies that no schema's validator reads. Owns the limit on their size.
import { Buffer } from 'node:buffer'
import type { ReadableStream } from 'node:stream/web'
import type { Context } from 'hono'
import type { HeldBody } from './held-bodies.js'
import { RequestProblem } from './problems.js'

export function tooLarge(maxBytes: number): RequestProblem {
  return new RequestProblem(413, 'TOO_LARGE', `the body is larger than the limit of ${maxBytes} bytes`)
}

/** The parts of a body, as they arrive. @throws RequestProblem when the body is longer than `maxBytes` */
export async function* partsOf(c: Context, maxBytes: number): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0
  for await (const part of (c.req.raw.body as ReadableStream<Uint8Array> | null) ?? []) {
    sizeBytes += part.length
    if (sizeBytes > maxBytes) throw tooLarge(maxBytes)
    yield part
  }
}

/** Like `partsOf`, for a body that stays in memory until the request is answered. @throws RequestProblem as `readBody` does */
export async function* heldPartsOf(c: Context, maxBytes: number): AsyncGenerator<Uint8Array> {
  const held: HeldBody = c.get('held')
  for await (const part of partsOf(c, maxBytes)) {
    held.take(part.length)
    yield part
  }
}

/** @throws RequestProblem when the body is longer than `maxBytes`, or bodies of other requests fill the memory for them */
export async function readBody(c: Context, maxBytes: number): Promise<ArrayBuffer> {
  const parts: Uint8Array[] = []
  for await (const part of heldPartsOf(c, maxBytes)) parts.push(part)
  const body = Buffer.concat(parts)
  return body.buffer.slice(body.byteOffset, body.byteOffset + body.length) as ArrayBuffer
}
