// Serves the app on a port. Owns the HTTP server, its limits on time and headers, and the order in which it stops.
import type { Server } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { listen } from '../http/listen.js'
import { isText, numberOption } from '../options/check.js'
import { MAX_DELAY_MS } from '../options/limits.js'
import { requireKeys } from './access.js'
import { type BrumateApp, makeApp } from './app.js'
import { loadHono, loadNodeServer } from './hono.js'
import { type AppOptions, resolveAppOptions } from './options.js'
import { Requests } from './requests.js'

export interface ServeOptions extends AppOptions {
  /** Port to listen on; 0 picks a free one. Default 0. */
  readonly port?: number
  /** Address to listen on. One that other machines can reach needs `keys`. Default `127.0.0.1`. */
  readonly host?: string
  /** How long `close` waits for running requests and downloads, in ms. Then it interrupts them. Default 10,000. */
  readonly drainMs?: number
}

export interface HttpServer extends AsyncDisposable {
  /** The server's address, such as `http://127.0.0.1:41234`. */
  readonly url: string
  /**
   * Stops the server: new requests get 503, running ones have `drainMs` to end, and the sessions are stored. The manager stays open.
   * Idempotent.
   */
  close(): Promise<void>
}

const portOption = numberOption({ min: 0, max: 65_535, integer: true })
const drainOption = numberOption({ min: 0, max: MAX_DELAY_MS, unit: 'milliseconds' })
const FLUSH_MS = 500
const HEADERS_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 65_000
const MAX_HEADER_BYTES = 16 * 1024
/** For receiving a whole request; uploads can take long. */
const REQUEST_TIMEOUT_MS = 600_000

/**
 * Serves the HTTP API.
 *
 * @throws InstallationError when `@hono/zod-openapi` or `@hono/node-server` is missing
 * @throws InvalidOptionError, also for a port that is in use
 */
export async function serve(options: ServeOptions): Promise<HttpServer> {
  const resolved = resolveAppOptions(options, ['port', 'host', 'drainMs'])
  const port = portOption('port', options.port, 0)
  const host = isText('host', options.host, { maxLength: 255 }) ?? '127.0.0.1'
  const drainMs = drainOption('drainMs', options.drainMs, 10_000)
  requireKeys(host, resolved)
  const hono = await loadHono()
  const node = await loadNodeServer()
  const app = makeApp(hono, resolved, host)
  const server = node.createAdaptorServer({
    fetch: app.fetch,
    overrideGlobalObjects: false,
    serverOptions: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
  }) as Server
  const url = await listen(server, port, host, resolved.onError)
  return new Listening(app, server, url, drainMs)
}

class Listening implements HttpServer {
  readonly #app: BrumateApp
  readonly #server: Server
  readonly #drainMs: number
  /** Answers that are being sent. */
  readonly #answers = new Requests()
  #closed: Promise<void> | undefined

  constructor(
    app: BrumateApp,
    server: Server,
    readonly url: string,
    drainMs: number,
  ) {
    this.#app = app
    this.#server = server
    this.#drainMs = drainMs
    server.on('request', (_, response) => response.once('close', this.#answers.begin()))
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#drainMs)
    })
    // The application has answered a download when it begins; its last byte may be sent much later.
    await Promise.race([this.#app.drain().then(() => this.#answers.drain()), late])
    clearTimeout(timer)
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeIdleConnections()
    // Lets connections end whose answers have been sent.
    await Promise.race([closed, delay(FLUSH_MS)])
    // Requests that are still running are interrupted, as if their clients had disconnected.
    this.#server.closeAllConnections()
    await closed
    await this.#app.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
