// The effects of host calls: a server that performs each request once per idempotency key. Owns the record of what it has done.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export class Shop {
  readonly #server: Server
  readonly #keys = new Map<string, number>()
  /** How often each order was paid back, with different keys. */
  readonly refunds = new Map<number, number>()
  /** Requests with a known key: a process was killed before Restate got the answer. */
  repeated = 0

  private constructor() {
    this.#server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      const { order, idempotencyKey } = JSON.parse(body) as { order: number; idempotencyKey: string }
      if (this.#keys.has(idempotencyKey)) this.repeated += 1
      else this.refunds.set(order, (this.refunds.get(order) ?? 0) + 1)
      this.#keys.set(idempotencyKey, order)
      response.end()
    })
  }

  static async start(): Promise<Shop> {
    const shop = new Shop()
    await new Promise<void>((resolve) => shop.#server.listen(0, '127.0.0.1', resolve))
    return shop
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
