// A response whose body is a stream. Owns the cast between the two types that TypeScript has for Node's stream.
import type { ReadableStream } from 'node:stream/web'

type Body = ConstructorParameters<typeof Response>[0]

export function streamResponse(stream: ReadableStream<Uint8Array>, init: ResponseInit): Response {
  return new Response(stream as unknown as Body, init)
}
