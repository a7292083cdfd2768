// A response of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Owns their wire format, and the
// comments that keep an idle connection open.
import { ReadableStream, type ReadableStreamDefaultController } from 'node:stream/web'
import { streamResponse } from './stream-response.js'

export class EventStream {
  readonly response: Response
  readonly #encoder = new TextEncoder()
  readonly #timer: NodeJS.Timeout
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined

  /** @param onGone called when the client has stopped reading */
  constructor(heartbeatMs: number, onGone: () => void) {
    this.#timer = setInterval(() => this.#write(': \n\n'), heartbeatMs)
    this.#timer.unref()
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller
      },
      cancel: () => {
        this.#end()
        onGone()
      },
    })
    this.response = streamResponse(stream, {
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // nginx would buffer events otherwise.
        'x-accel-buffering': 'no',
      },
    })
  }

  send(event: string, data: unknown): void {
    this.#timer.refresh()
    this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  close(): void {
    const controller = this.#controller
    this.#end()
    controller?.close()
  }

  #write(text: string): void {
    this.#controller?.enqueue(this.#encoder.encode(text))
  }

  #end(): void {
    clearInterval(this.#timer)
    this.#controller = undefined
  }
}
