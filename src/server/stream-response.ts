// A response whose body is a stream. Owns telling TypeScript that Node's stream is the one that its Response takes.
import type { ReadableStream } from 'node:stream/web'

type Body = ConstructorParameters<typeof Response>[0]

export function streamResponse(stream: ReadableStream<Uint8Array>, init: ResponseInit): Response {
  return new Response(stream as unknown as Body, init)
}
