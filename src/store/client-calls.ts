// Calls of a store's client: each settles in time, and fails with a StoreError that says what to do and shows no password. Owns the time
// limit and the messages; the stores interpret their servers' own error codes.
import { inspect } from 'node:util'
import { BrumateError, InstallationError, InvalidOptionError, StoreError } from '../shared/errors.js'

const DEFAULT_TIMEOUT_MS = 30_000
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1
/** Deep enough for the options that clients attach to their errors. */
const INSPECTED_DEPTH = 6

export interface ClientOptions {
  /** Milliseconds that one call to the server may take. Default 30,000. */
  readonly timeoutMs?: number | undefined
}

/** A store's interpretation of an error code. */
export interface Diagnosis {
  readonly reason: StoreError['reason']
  readonly remedy: string
}

export interface ClientFacts {
  /** The server's name in messages, such as `PostgreSQL`. */
  readonly server: string
  readonly timeoutMs: number
  readonly secrets: readonly string[]
  readonly diagnose: (code: string, error: Error) => Diagnosis | undefined
}

export function checkTimeoutMs({ timeoutMs = DEFAULT_TIMEOUT_MS }: ClientOptions): number {
  if (Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= LONGEST_TIMEOUT_MS) return timeoutMs
  throw new InvalidOptionError(
    'timeoutMs',
    `an integer of milliseconds from 1 to ${LONGEST_TIMEOUT_MS}`,
    timeoutMs,
  )
}

/** Calls the client. An error that it throws becomes the `cause` of a StoreError. */
export async function callClient<T>(
  facts: ClientFacts,
  sessionId: string | undefined,
  call: () => Promise<T>,
): Promise<T> {
  const { server, timeoutMs } = facts
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `${server} has not answered within ${timeoutMs} ms; see whether it is overloaded or cannot be reached, or raise timeoutMs`
      reject(new StoreError(message, { sessionId }))
    }, timeoutMs)
  })
  try {
    return await Promise.race([call(), late])
  } catch (error) {
    if (error instanceof BrumateError) throw error
    throw storeErrorOf(facts, sessionId, error)
  } finally {
    clearTimeout(timer)
  }
}

/** Loads the client's package, which is an optional peer. */
export async function loadClient<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    const message = `the package ${name} cannot be loaded; run \`npm install ${name}\``
    throw new InstallationError(message, { cause })
  }
}

/** The secrets in a connection URL, which no error may show: the URL itself, its passwords, and those decoded. */
export function secretsOfUrl(url: string): string[] {
  const password = /^[^/]*\/\/[^/?#]*?:(.*)@/.exec(url)?.[1]
  const parameters = [...url.matchAll(/[?&](?:password|sslpassword)=([^&#]*)/g)].map(([, value]) => value)
  const found = [password, ...parameters].filter((part) => part !== undefined && part !== '') as string[]
  return found.length === 0 ? [] : [url, ...found, ...found.map(decoded)]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function storeErrorOf(facts: ClientFacts, sessionId: string | undefined, thrown: unknown): StoreError {
  const error = thrown instanceof Error ? thrown : new Error(inspect(thrown))
  const cause = withoutSecrets(error, facts.secrets)
  const code = codeOf(error)
  const { reason, remedy } = facts.diagnose(code, error) ??
    NETWORK[code] ?? { reason: 'unavailable', remedy: 'see the cause' }
  const detail = [
    cause.message === '' ? cause.name : cause.message,
    code === '' || cause.message.includes(code) ? '' : ` (${code})`,
  ]
  return new StoreError(`${facts.server}: ${detail.join('')}; ${remedy}`, { reason, sessionId, cause })
}

function codeOf(error: Error): string {
  const { code, errors, cause } = error as { code?: unknown; errors?: unknown; cause?: unknown }
  if (typeof code === 'string') return code
  // If a name has several addresses, there is one error for each.
  const inner: unknown = Array.isArray(errors) ? errors[0] : cause
  if (inner instanceof Error) return codeOf(inner)
  // Some clients keep the text of Node's error, but not its code.
  return /\b(E[A-Z_]{4,})\b/.exec(error.message)?.[1] ?? ''
}

/** Returns the error itself if no field of it shows a secret, otherwise a copy with the secrets replaced. */
function withoutSecrets(error: Error, secrets: readonly string[]): Error {
  const shown = inspect(error, { depth: INSPECTED_DEPTH, showHidden: true })
  // Longest first, so that the URL is replaced before its parts.
  const found = secrets.filter((secret) => shown.includes(secret)).sort((a, b) => b.length - a.length)
  if (found.length === 0) return error
  const hide = (text: string) => found.reduce((hidden, secret) => hidden.replaceAll(secret, '***'), text)
  const copy = new Error(hide(error.message))
  copy.name = error.name
  copy.stack = hide(error.stack ?? '')
  return copy
}

const unreachable = (remedy: string): Diagnosis => ({ reason: 'unavailable', remedy })
const NETWORK: Readonly<Record<string, Diagnosis>> = {
  ECONNREFUSED: unreachable('nothing listens there; start the server, or correct the address'),
  ENOENT: unreachable('there is no such socket; start the server, or correct the address'),
  ENOTFOUND: unreachable('no host has that name; correct the address'),
  EAI_AGAIN: unreachable('the name cannot be resolved now; try again'),
  ECONNRESET: unreachable('the connection was lost; try again'),
  EPIPE: unreachable('the connection was lost; try again'),
  ETIMEDOUT: unreachable('the connection timed out; see whether the server can be reached'),
  ERR_INVALID_URL: { reason: 'unsuitable', remedy: 'correct the URL' },
}
