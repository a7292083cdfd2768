// Plays the load balancer of a production setup: one address for all service processes. Sends each HTTP/2 request to the next live process.
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type Http2Server,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'

export class Balancer {
  readonly #server: Http2Server = createServer()
  readonly #backends = new Map<number, ClientHttp2Session>()
  #turn = 0

  /** Listens on a free port of the loopback interface. */
  static async start(): Promise<Balancer> {
    const balancer = new Balancer()
    balancer.#server.on('stream', (stream, headers) => balancer.#forward(stream, headers))
    await new Promise<void>((resolve) => balancer.#server.listen(0, '127.0.0.1', resolve))
    return balancer
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  add(port: number): void {
    const session = connect(`http://127.0.0.1:${port}`)
    session.on('error', () => {})
    session.on('close', () => this.remove(port))
    this.#backends.set(port, session)
  }

  remove(port: number): void {
    this.#backends.get(port)?.destroy()
    this.#backends.delete(port)
  }

  close(): void {
    for (const port of [...this.#backends.keys()]) this.remove(port)
    this.#server.close()
  }

  #forward(stream: ServerHttp2Stream, headers: import('node:http2').IncomingHttpHeaders): void {
    stream.on('error', () => {})
    const sessions = [...this.#backends.values()]
    const session = sessions[this.#turn++ % sessions.length]
    if (session === undefined || session.destroyed) {
      stream.respond({ ':status': 503 }, { endStream: true })
      return
    }
    const request = session.request(headers, { endStream: false })
    request.on('response', (answer) => {
      if (!stream.destroyed && !stream.headersSent) stream.respond(answer)
    })
    const reset = () => {
      if (!stream.closed) stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    }
    request.on('error', reset)
    // Destroying a connection ends its streams as if they were complete, so reset them.
    request.on('end', () => (session.destroyed ? reset() : stream.end()))
    request.on('close', () => {
      if (session.destroyed || !request.readableEnded) reset()
    })
    stream.on('close', () => request.close())
    stream.pipe(request)
    request.pipe(stream, { end: false })
  }
}
