// Requests to the server. Owns the URL, the key, and retries: a request is repeated only if it had no effect, or is safe to repeat.
import { BrumateError, CancelledError } from '../shared/errors.js'
import { problemError } from './errors.js'
import { IdleTimer } from './idle-timer.js'
import type { ResolvedClientOptions } from './options.js'
import { ServerError } from './server-error.js'

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  /** Sent as JSON. */
  readonly json?: unknown
  readonly body?: Uint8Array
  readonly signal?: AbortSignal | undefined
  readonly accept?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Whether sending the request twice has the same effect as once. Default: whether the method is GET. */
  readonly isRepeatable?: boolean
  /** Session to name in errors. */
  readonly sessionId?: string
}

/** Codes of refusals before anything was done. */
const REFUSALS: ReadonlySet<string> = new Set(['BUSY', 'DRAINING', 'POOL_EXHAUSTED', 'QUOTA'])
const FIRST_DELAY_MS = 100
/** If the server asks for a longer wait, the caller decides. */
const LONGEST_DELAY_MS = 5000

export class Transport {
  readonly #options: ResolvedClientOptions

  constructor(options: ResolvedClientOptions) {
    this.#options = options
  }

  get timeoutMs(): number {
    return this.#options.timeoutMs
  }

  /** @throws the error of the problem document; ServerError; CancelledError for the signal */
  async json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    return this.#withAnswer(method, path, options, async (response) => {
      const answer: unknown = await response.json()
      if (typeof answer !== 'object' || answer === null) throw new SyntaxError('the answer is not an object')
      return answer as T
    })
  }

  async bytes(method: string, path: string, options: RequestOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return this.#withAnswer(
      method,
      path,
      { accept: '*/*', ...options },
      async (response) => new Uint8Array(await response.arrayBuffer()),
    )
  }

  /** Sends a request whose answer has no content. */
  async send(method: string, path: string, options: RequestOptions = {}): Promise<void> {
    await this.#withAnswer(method, path, options, async (response) => {
      // An unread body would keep the connection occupied.
      await response.arrayBuffer()
    })
  }

  /** The response itself. The caller reads the body and owns `timer`: each part that arrives restarts the time limit. */
  async stream(method: string, path: string, options: RequestOptions = {}): Promise<StreamedResponse> {
    return this.retried(method, options, () => this.open(method, path, options))
  }

  /** Like `stream`, but tries once. */
  async open(method: string, path: string, options: RequestOptions): Promise<StreamedResponse> {
    const timer = new IdleTimer(this.timeoutMs, options.signal)
    try {
      const response = await this.#fetch(method, path, options, timer.signal)
      timer.restart()
      return { response, timer }
    } catch (error) {
      timer.stop()
      throw this.#failure(error, timer, options.signal)
    }
  }

  /** The error for a streamed response that could not be read. */
  failure(error: unknown, timer: IdleTimer, signal: AbortSignal | undefined): Error {
    return this.#failure(error, timer, signal)
  }

  #withAnswer<T>(
    method: string,
    path: string,
    options: RequestOptions,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    return this.retried(method, options, async () => {
      const { response, timer } = await this.open(method, path, options)
      try {
        return await read(timed(response, timer))
      } catch (error) {
        throw this.#failure(error, timer, options.signal)
      } finally {
        timer.stop()
      }
    })
  }

  /** Repeats an attempt to send the request that was refused before it had an effect, or whose request is safe to repeat. */
  async retried<T>(method: string, options: RequestOptions, attempt: () => Promise<T>): Promise<T> {
    const { isRepeatable = method === 'GET', signal } = options
    for (let tries = 0; ; tries++) {
      if (signal?.aborted) throw new CancelledError('not-started', { cause: signal.reason })
      try {
        return await attempt()
      } catch (error) {
        const waitMs = this.#delayMs(error, tries, isRepeatable)
        if (waitMs === undefined) throw error
        await pause(waitMs, signal)
      }
    }
  }

  /** How long to wait before the next attempt; undefined to give up. */
  #delayMs(error: unknown, tries: number, isRepeatable: boolean): number | undefined {
    if (tries >= this.#options.retries || !(error instanceof BrumateError)) return undefined
    const isUnreachable = error.code === 'UNREACHABLE' && isRepeatable
    if (!isUnreachable && !REFUSALS.has(error.code)) return undefined
    const asked = (error as { retryAfterMs?: number }).retryAfterMs ?? 0
    if (asked > LONGEST_DELAY_MS) return undefined
    // Random, so that clients that were refused together do not retry together.
    return Math.max(asked, FIRST_DELAY_MS * 2 ** tries * (0.5 + Math.random()))
  }

  async #fetch(
    method: string,
    path: string,
    options: RequestOptions,
    signal: AbortSignal,
  ): Promise<Response> {
    const { fetch, key, headers } = this.#options
    const { json, body, accept = 'application/json', sessionId } = options
    const response = await fetch(this.#url(path, options.query), {
      method,
      signal,
      headers: {
        ...headers,
        accept,
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...(body !== undefined && { 'content-type': 'application/octet-stream' }),
        ...options.headers,
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(body !== undefined && { body: body as Uint8Array<ArrayBuffer> }),
    })
    if (response.ok) return response
    throw await errorOf(response, sessionId)
  }

  #url(path: string, query: RequestOptions['query'] = {}): string {
    const url = new URL(this.#options.url + path)
    for (const [name, value] of Object.entries(query)) {
      if (Array.isArray(value)) for (const one of value) url.searchParams.append(name, one)
      else if (value !== undefined) url.searchParams.set(name, String(value))
    }
    return url.href
  }

  #failure(error: unknown, timer: IdleTimer, signal: AbortSignal | undefined): Error {
    if (signal?.aborted) return new CancelledError('interrupted', { cause: signal.reason })
    if (timer.isOver) {
      const message = `${this.#options.url} has sent nothing for ${this.timeoutMs} ms; whether the request had an effect is unknown`
      return new ServerError(message, { code: 'UNREACHABLE' })
    }
    if (error instanceof BrumateError || (error as { code?: unknown })?.code === 'CONVERSION')
      return error as Error
    if (error instanceof SyntaxError)
      return new ServerError(
        `${this.#options.url} answered with something other than JSON; check that the URL is that of a brumate server`,
        {
          code: 'BAD_RESPONSE',
        },
      )
    const reason = error instanceof Error ? causeOf(error) : String(error)
    const message = `${this.#options.url} cannot be reached, or the connection broke: ${reason}`
    return new ServerError(message, { code: 'UNREACHABLE' }, { cause: error })
  }
}

export interface StreamedResponse {
  readonly response: Response
  readonly timer: IdleTimer
}

/** The response, each part of which restarts the time limit when it is read. */
function timed(response: Response, timer: IdleTimer): Response {
  const parts = response.body?.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: (part, controller) => {
        timer.restart()
        controller.enqueue(part)
      },
    }),
  )
  return parts === undefined ? response : new Response(parts)
}

async function errorOf(response: Response, sessionId: string | undefined): Promise<Error> {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : undefined
  const isProblem = /\bjson\b/.test(response.headers.get('content-type') ?? '')
  const text = await response.text()
  let problem: unknown = {}
  try {
    if (isProblem) problem = JSON.parse(text)
  } catch {
    // The body is a page of a proxy, but the status says enough.
  }
  const error = problemError(response.status, Object(problem), retryAfterMs, sessionId)
  // Classes of the library have no field for it.
  if (retryAfterMs !== undefined && !(error instanceof ServerError)) Object.assign(error, { retryAfterMs })
  return error
}

/** `fetch` only says "fetch failed"; its cause says why. */
function causeOf(error: Error): string {
  const { cause } = error
  return cause instanceof Error && cause.message !== ''
    ? `${error.message} (${cause.message})`
    : error.message
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer)
      reject(new CancelledError('not-started', { cause: signal?.reason }))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
