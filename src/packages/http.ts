// Requests to an index or a release folder. Owns retries, time limits, size limits and credentials; the sources decide what to request.

import { setTimeout as sleep } from 'node:timers/promises'
import { isError } from '../shared/realms.js'

/** A request failed. The message says what happened, without credentials. */
export class FetchError extends Error {
  override readonly name = 'FetchError'

  constructor(
    message: string,
    /** Status of the last answer; undefined if there was none. */
    readonly status: number | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

export interface Resource {
  /** May contain a user and a password. */
  readonly url: string
  /** Added to addresses of the same host as the index. */
  readonly credentials?: Credentials
  readonly accept?: string
  /** Longer answers are rejected. */
  readonly maxBytes: number
  /** Time limit of one attempt. Default: one minute plus the time that `maxBytes` take over a slow connection. */
  readonly maxMs?: number
  readonly signal: AbortSignal | undefined
  /** Called with each part of the answer, and with undefined when a retry starts the answer again. */
  readonly onChunk: (chunk: Uint8Array | undefined) => void | Promise<void>
}

const ATTEMPTS = 4
const FIRST_DELAY_MS = 300
const MAX_RETRY_AFTER_MS = 10_000
/** Longest wait for the next part of an answer. */
const IDLE_MS = 30_000
/** Least default time limit of an attempt. A server that sends a little now and then must not stall a build forever. */
const MIN_MAX_MS = 60_000
const SLOW_BYTES_PER_MS = 100
const RETRIED: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

export interface Answer {
  /** Final address after redirects, without credentials. */
  readonly url: string
  readonly contentType: string
}

/** @throws FetchError; the signal's reason if it aborts */
export async function request(resource: Resource): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    resource.signal?.throwIfAborted()
    try {
      return await requestOnce(resource)
    } catch (error) {
      resource.signal?.throwIfAborted()
      if (!(error instanceof Temporary) || attempt === ATTEMPTS)
        throw error instanceof Temporary ? error.failure : error
      const delayMs = FIRST_DELAY_MS * 2 ** (attempt - 1) * (1 + Math.random() / 2)
      const { signal } = resource
      await sleep(error.retryAfterMs ?? delayMs, undefined, signal ? { signal } : {}).catch(() =>
        signal?.throwIfAborted(),
      )
      await resource.onChunk(undefined)
    }
  }
}

/** Returns the whole answer. @throws FetchError; the signal's reason if it aborts */
export async function requestBytes(
  resource: Omit<Resource, 'onChunk'>,
): Promise<Answer & { readonly bytes: Uint8Array }> {
  let chunks: Uint8Array[] = []
  const answer = await request({
    ...resource,
    onChunk: (chunk) => {
      if (chunk === undefined) chunks = []
      else chunks.push(chunk)
    },
  })
  return { ...answer, bytes: Buffer.concat(chunks) }
}

/** A failure that is worth a retry. */
class Temporary extends Error {
  constructor(
    readonly failure: FetchError,
    readonly retryAfterMs?: number,
  ) {
    super(failure.message)
  }
}

async function requestOnce({
  url,
  credentials,
  accept,
  maxBytes,
  maxMs = MIN_MAX_MS + maxBytes / SLOW_BYTES_PER_MS,
  signal,
  onChunk,
}: Resource): Promise<Answer> {
  const { target, headers } = withoutCredentials(credentials?.addTo(url) ?? url)
  const idle = new AbortController()
  let timer = setTimeout(() => idle.abort(), IDLE_MS)
  const endMs = performance.now() + maxMs
  try {
    const response = await fetch(target, {
      headers: { ...headers, ...(accept === undefined ? {} : { accept }) },
      signal: signal ? AbortSignal.any([signal, idle.signal]) : idle.signal,
    })
    if (!response.ok) {
      await response.body?.cancel()
      const failure = new FetchError(`${target} answers ${response.status}`, response.status)
      throw RETRIED.has(response.status) ? new Temporary(failure, retryAfterMs(response)) : failure
    }
    let length = 0
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer)
      timer = setTimeout(() => idle.abort(), IDLE_MS)
      length += chunk.length
      if (length > maxBytes)
        throw new FetchError(`${target} is longer than ${maxBytes} bytes`, response.status)
      if (performance.now() > endMs)
        throw new FetchError(
          `${target} sends too slowly: ${length} bytes within ${Math.round(maxMs / 1000)} s`,
          response.status,
        )
      await onChunk(chunk)
    }
    return { url: response.url || target, contentType: response.headers.get('content-type') ?? '' }
  } catch (error) {
    if (error instanceof FetchError || error instanceof Temporary) throw error
    if (isFileError(error)) throw error
    const what = idle.signal.aborted ? `no answer within ${IDLE_MS / 1000} s` : reasonOf(error)
    throw new Temporary(new FetchError(`${target} cannot be reached: ${what}`, undefined, { cause: error }))
  } finally {
    clearTimeout(timer)
  }
}

/** The user and password of an index, for its files on the same host. They are never sent anywhere else. */
export class Credentials {
  readonly #index: URL | undefined

  /** @param url of the index; undefined if there is none */
  constructor(url: string | undefined) {
    this.#index = url !== undefined && URL.canParse(url) ? new URL(url) : undefined
  }

  addTo(url: string): string {
    const target = new URL(url)
    if (this.#index === undefined || this.#index.origin !== target.origin) return url
    target.username = this.#index.username
    target.password = this.#index.password
    return target.href
  }
}

/** `fetch` rejects URLs with credentials, and messages must not show them. */
export function withoutCredentials(url: string): {
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
} {
  const parsed = new URL(url)
  const { username, password } = parsed
  if (username === '' && password === '') return { target: parsed.href, headers: {} }
  parsed.username = ''
  parsed.password = ''
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return {
    target: parsed.href,
    headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
  }
}

function retryAfterMs(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return seconds >= 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : undefined
}

/** The message of `fetch` is only "fetch failed"; its cause has the reason. */
function reasonOf(error: unknown): string {
  if (!isError(error)) return String(error)
  return isError(error.cause) && error.cause.message !== '' ? error.cause.message : error.message
}

/** Whether the error concerns a file, such as a full disk, rather than the network. */
function isFileError(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException
  return code !== undefined && ['open', 'write', 'close', 'rename', 'mkdir'].includes(syscall ?? '')
}
