// Options of the client and its sessions, and their resolved form. Owns defaults and bounds.
import { isFunction, isRecord, isText, known, numberOption } from '../options/check.js'
import type { AllOutputListener, DisplayListener, OutputListener } from '../options/execution.js'
import { type Limits, MAX_DELAY_MS } from '../options/limits.js'
import type { SnapshotBytes } from '../session/python-session.js'
import { InvalidOptionError } from '../shared/errors.js'
import type { ClientCallbacks, ClientInputFn } from './callbacks.js'

export interface ClientOptions {
  /** The server's address, such as `https://python.example.com`; it may have a path. */
  readonly url: string | URL
  /** API key, sent as a bearer token. Default: none. */
  readonly key?: string
  /** Sends the requests. Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** Headers of every request, such as those of a trace. Default: none. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * How long a request may wait for the next byte, in ms, 100 to 2,147,483,647 or Infinity. While code runs, the server sends a byte at
   * least every 15 s, however long it runs. It sends none during an upload: choose more for large files over slow lines. Default 60,000.
   */
  readonly timeoutMs?: number
  /**
   * How often a request is retried that the server refused temporarily, or that got no answer and is safe to repeat (reads, writes of files
   * and variables, executions with an `idempotencyKey`). 0 to 20. Default 2.
   */
  readonly retries?: number
}

export interface ResolvedClientOptions {
  /** Without a trailing slash. */
  readonly url: string
  readonly key: string | undefined
  readonly fetch: typeof globalThis.fetch
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly retries: number
}

/** Options of every way to get a session. They stay in the client. */
export interface LocalSessionOptions {
  /** Run in this process: a call suspends Python's execution until the client has sent the result. */
  readonly callbacks?: ClientCallbacks
  /** Answers `input()`, like the library's option. Works for a session that was created with it. */
  readonly onInput?: ClientInputFn
  /**
   * Timeout of each execution that sets none; also the limit of a session that is created. Default: the session's limit on the server.
   */
  readonly executionTimeoutMs?: number | null
  readonly onStdout?: OutputListener
  readonly onStderr?: OutputListener
  readonly onOutput?: AllOutputListener
  readonly onDisplay?: DisplayListener
}

export interface RemoteOpenOptions extends LocalSessionOptions {
  /** Whether to take the session from another server process that has it open. Default false. */
  readonly takeOver?: boolean
  readonly signal?: AbortSignal
}

/** `labels`, `env`, `limits`, `image`, and the schemas of `callbacks`, apply if the session is created. */
export interface RemoteGetOrCreateOptions extends RemoteOpenOptions {
  readonly labels?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  /** Limits of the session, within those that the server allows. */
  readonly limits?: Partial<Limits>
  /** Id of one of the server's images. */
  readonly image?: string
}

export interface RemoteCreateOptions extends Omit<RemoteGetOrCreateOptions, 'takeOver'> {
  /** Letters, digits, `_` and `-`, up to 100. Without an id, `close` deletes the session. */
  readonly id?: string
  /** Snapshot that the session starts from. */
  readonly from?: SnapshotBytes | Uint8Array
}

const LOCAL = [
  ...['callbacks', 'onInput', 'executionTimeoutMs', 'signal'],
  ...['onStdout', 'onStderr', 'onOutput', 'onDisplay'],
]
export const OPEN_OPTIONS = [...LOCAL, 'takeOver']
export const GET_OR_CREATE_OPTIONS = [...OPEN_OPTIONS, 'labels', 'env', 'limits', 'image']
export const CREATE_OPTIONS = [...LOCAL, 'labels', 'env', 'limits', 'image', 'id', 'from']

const timeoutMs = numberOption({ min: 100, max: MAX_DELAY_MS, unit: 'milliseconds', infinite: true })
const retries = numberOption({ min: 0, max: 20, integer: true })

/** @throws InvalidOptionError, which never shows a key */
export function resolveClientOptions(options: ClientOptions): ResolvedClientOptions {
  known('options', options, ['url', 'key', 'fetch', 'headers', 'timeoutMs', 'retries'])
  const { key, headers = {} } = options
  if (key !== undefined && !(typeof key === 'string' && /^[\x21-\x7e]+$/.test(key)))
    throw new InvalidOptionError(
      'key',
      'visible ASCII characters',
      undefined,
      'key: expected visible ASCII characters',
    )
  isRecord('headers', headers)
  // Looked up at each request, because tests replace the global one.
  const fetch: typeof globalThis.fetch =
    isFunction('fetch', options.fetch) ?? ((...args) => globalThis.fetch(...args))
  return {
    url: urlOf(options.url),
    ...{ key, fetch, headers },
    timeoutMs: timeoutMs('timeoutMs', options.timeoutMs, 60_000),
    retries: retries('retries', options.retries, 2),
  }
}

function urlOf(given: string | URL): string {
  const url = URL.canParse(String(given)) ? new URL(String(given)) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new InvalidOptionError(
      'url',
      'an http or https URL without a password',
      String(given).split('@').at(-1),
    )
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

/** Checks an id that becomes part of a path. @throws InvalidOptionError */
export function sessionId(id: unknown): string {
  const expected = '1 to 100 letters, digits, _ and -'
  const text = isText('id', id, { pattern: /^[A-Za-z0-9_-]{1,100}$/, expected })
  if (text === undefined) throw new InvalidOptionError('id', expected, id)
  return text
}
