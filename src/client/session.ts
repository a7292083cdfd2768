// A session on a server, as a program uses it. Owns what the client remembers of it; execution.ts runs code, files.ts has the files.
import { checkCode, checkName, checkVariable, isOneOf } from '../options/check.js'
import {
  type ExecuteOptions,
  type RestoreOptions,
  type ResumeOptions,
  resolveExecuteOptions,
  resolveRestoreOptions,
  resolveResumeOptions,
} from '../options/execution.js'
import { resolveTimeoutMs } from '../options/limits.js'
import type { WireExecution, WirePending, WireSession } from '../presentation/wire.js'
import type { ExecuteResult } from '../session/outcome.js'
import type { PythonSession, SnapshotBytes } from '../session/python-session.js'
import { InvalidOptionError, SessionClosedError } from '../shared/errors.js'
import { isUint8Array } from '../shared/realms.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import type { InputValue, Value } from '../shared/values/value.js'
import type { Callbacks } from './callbacks.js'
import { runExecution } from './execution.js'
import { RemoteFiles } from './files.js'
import { Listeners } from './listeners.js'
import { type LocalSessionOptions, sessionId } from './options.js'
import { Order } from './order.js'
import { ServerError } from './server-error.js'
import type { RequestOptions, Transport } from './transport.js'
import { decodePending, decodeValue, encodeInput } from './values.js'

export interface RemoteContext {
  readonly transport: Transport
  readonly callbacks: Callbacks
  readonly options: LocalSessionOptions
  /** Whether `close` deletes the session, because its id was not chosen by the caller. */
  readonly isOwn: boolean
}

export interface ForkOptions {
  /** Id of the copy. Without one, the copy is deleted when it is closed. */
  readonly id?: string
  readonly labels?: Readonly<Record<string, string>>
}

/** What a header can have: others would be changed on the way, or not be sent at all. */
const HEADER = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/

type Lifecycle = { readonly kind: 'open' } | { readonly kind: 'closed'; readonly closed: Promise<void> }

/** Created by `BrumateClient`. Has the methods of `Session`, which reject with the same errors; docs/client.md has the differences. */
export class RemoteSession implements PythonSession {
  readonly files: RemoteFiles
  readonly #context: RemoteContext
  readonly #path: string
  #known: WireSession
  #pending: readonly PendingCall[] = []
  #executionTimeoutMs: number | null | undefined
  #lifecycle: Lifecycle = { kind: 'open' }
  readonly #order = new Order()

  /** @internal */
  constructor(context: RemoteContext, known: WireSession) {
    this.#context = context
    this.#known = known
    this.#path = `/v1/sessions/${sessionId(known.id)}`
    this.#executionTimeoutMs = context.options.executionTimeoutMs
    const { transport } = context
    const run = <T>(request: () => Promise<T>) => this.#run(request)
    this.files = new RemoteFiles({ transport, run, path: this.#path, sessionId: known.id })
  }

  get id(): string {
    return this.#known.id
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#known.labels
  }

  /** Globals that were lost in an upgrade of the server. */
  get lostGlobals(): readonly string[] {
    return this.#known.lostGlobals ?? []
  }

  /** As of the server's last answer to this client. */
  get executionCount(): number {
    return this.#known.executionCount
  }

  /** As of the server's last answer to this client. */
  get state(): 'attached' | 'dormant' | 'closed' {
    return this.#lifecycle.kind === 'closed' ? 'closed' : this.#known.state
  }

  /** As of the server's last answer to this client. */
  get pending(): readonly PendingCall[] {
    return this.#pending
  }

  /** Timeout of each execution that sets none; `undefined`: the session's limit on the server. */
  get executionTimeoutMs(): number | null | undefined {
    return this.#executionTimeoutMs
  }

  /** @throws InvalidOptionError */
  set executionTimeoutMs(timeoutMs: number | null | undefined) {
    this.#executionTimeoutMs =
      timeoutMs === undefined ? undefined : resolveTimeoutMs('executionTimeoutMs', timeoutMs, null)
  }

  /**
   * Runs Python code. Callbacks of this client answer its calls. `status: 'suspended'` means that a call is pending which none of them
   * answers. An aborted signal ends the request, and the server interrupts the code.
   *
   * @throws what `Session.execute` throws, and ServerError
   */
  async execute(code: string, options: ExecuteOptions = {}): Promise<ExecuteResult> {
    checkCode(code)
    return this.#execute('execute', { code }, options)
  }

  /**
   * Answers some or all pending calls, and continues the execution that awaits them.
   *
   * @throws what `Session.resume` throws, and ServerError
   */
  async resume(answers: ResumeOptions): Promise<ExecuteResult> {
    const { results, errors } = resolveResumeOptions(answers, null)
    const { results: _, errors: __, ...options } = answers
    const encoded = Object.entries(results).map(([id, value]) => [id, encodeInput(value, `results.${id}`)])
    const failures = Object.entries(errors).map(([id, error]) => [id, failureOf(error)])
    const json = { results: Object.fromEntries(encoded), errors: Object.fromEntries(failures) }
    return this.#execute('resume', json, options)
  }

  async get(name: string): Promise<Value> {
    checkName(name)
    const query = { values: 'exact' }
    const { value } = await this.#inOrder(() =>
      this.#json<{ value: unknown }>('GET', variable(name), { query }),
    )
    return decodeValue(value)
  }

  async set(name: string, value: InputValue): Promise<void> {
    checkVariable(name)
    const json = { value: encodeInput(value, name), values: 'exact' }
    await this.#inOrder(() => this.#send('PUT', variable(name), { json, isRepeatable: true }))
  }

  async clearState(): Promise<void> {
    await this.#inOrder(() => this.#send('POST', '/clear', { isRepeatable: true }))
    this.#pending = []
  }

  async reset(): Promise<void> {
    await this.#inOrder(() => this.#send('POST', '/reset', { isRepeatable: true }))
    this.#pending = []
    this.#known = { ...this.#known, executionCount: 0 }
  }

  /** Interrupts the running execution, no matter which client started it. */
  async interrupt(): Promise<void> {
    await this.#send('POST', '/interrupt')
  }

  async hibernate(): Promise<void> {
    await this.#inOrder(() => this.#send('POST', '/hibernate', { isRepeatable: true }))
    this.#known = { ...this.#known, state: 'dormant' }
  }

  async snapshotState(): Promise<SnapshotBytes> {
    const { transport } = this.#context
    const request = { sessionId: this.id }
    const bytes = await this.#run(() => transport.bytes('GET', `${this.#path}/snapshot`, request))
    return { size: bytes.length, toBytes: () => bytes.slice() }
  }

  async restoreState(snapshot: SnapshotBytes | Uint8Array, options?: RestoreOptions): Promise<string[]> {
    const salvage = resolveRestoreOptions(options)
    const request = { query: { salvage }, body: snapshotBytes('snapshot', snapshot), isRepeatable: true }
    const { lostGlobals } = await this.#inOrder(() =>
      this.#json<{ lostGlobals: string[] }>('PUT', '/snapshot', request),
    )
    await this.refresh()
    return lostGlobals
  }

  /** A copy of the session as it is now, with the callbacks of this client. */
  async fork(options: ForkOptions = {}): Promise<RemoteSession> {
    const known = await this.#json<WireSession>('POST', '/fork', { json: options })
    const session = new RemoteSession({ ...this.#context, isOwn: options.id === undefined }, known)
    if (this.#pending.length > 0) await session.refresh()
    return session
  }

  /** The session's callbacks, the server's own included, as Python signatures for a prompt. */
  async toolStubs(): Promise<string> {
    const query = { format: 'python' }
    return (await this.#json<{ stubs?: string }>('GET', '/tools', { query })).stubs ?? ''
  }

  /** The session's callbacks, the server's own included, as tools for a model. */
  async toolSchemas(format: 'openai' | 'anthropic'): Promise<unknown[]> {
    if (isOneOf('format', format, ['openai', 'anthropic']) === undefined)
      throw new InvalidOptionError('format', "'openai' or 'anthropic'", format)
    return (await this.#json<{ tools?: unknown[] }>('GET', '/tools', { query: { format } })).tools ?? []
  }

  /** Updates the session's properties from the server. @param options.takeOver take it from another process of the server */
  async refresh(options: { readonly takeOver?: boolean; readonly signal?: AbortSignal | undefined } = {}) {
    const { takeOver, signal } = options
    this.#known = await this.#json<WireSession>('GET', '', { signal })
    // This opens the session, so that the next call does not have to wait for it.
    const query = { values: 'exact', ...(takeOver && { takeOver }) }
    const { pending } = await this.#json<{ pending: WirePending[] }>('GET', '/pending', { query, signal })
    this.#pending = pending.map(decodePending)
  }

  /** Closes the session; the server keeps it. One that was created without an id is deleted. Idempotent. */
  close(): Promise<void> {
    const { isOwn } = this.#context
    if (this.#lifecycle.kind === 'open') this.#end(isOwn ? 'delete' : 'close')
    return this.#closed
  }

  /** Deletes the session from the server. */
  delete(): Promise<void> {
    if (this.#lifecycle.kind === 'open') this.#end('delete')
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get #closed(): Promise<void> {
    return this.#lifecycle.kind === 'closed' ? this.#lifecycle.closed : Promise.resolve()
  }

  #end(how: 'close' | 'delete'): void {
    const { transport } = this.#context
    const options = { isRepeatable: true, sessionId: this.id }
    const sent =
      how === 'delete'
        ? transport.send('DELETE', this.#path, options)
        : transport.send('POST', `${this.#path}/close`, options)
    // Another client, or an earlier attempt, has already deleted it.
    const closed = sent.catch((error) => {
      if (!isMissing(error)) throw error
    })
    this.#lifecycle = { kind: 'closed', closed }
    this.#pending = []
  }

  async #execute(
    action: 'execute' | 'resume',
    json: Readonly<Record<string, unknown>>,
    options: ExecuteOptions,
  ): Promise<ExecuteResult> {
    const { signal, idempotencyKey, timeoutMs, ...own } = resolveExecuteOptions(options, null)
    if (idempotencyKey !== undefined && !HEADER.test(idempotencyKey))
      throw new InvalidOptionError('idempotencyKey', 'ASCII text without spaces around it', idempotencyKey)
    const { transport, callbacks, options: session } = this.#context
    const listeners = new Listeners(withoutUndefined(session), withoutUndefined(own))
    const context = {
      ...{ transport, callbacks, listeners, signal, idempotencyKey },
      ...{ session: this, path: this.#path },
      timeoutMs: options.timeoutMs === undefined ? this.#executionTimeoutMs : timeoutMs,
      onPart: (part: WireExecution) => this.#learn(part),
    }
    const result = await this.#order.run(
      (onSent) => this.#run(() => runExecution({ ...context, onSent }, { action, json })),
      signal,
    )
    await listeners.finish()
    return result
  }

  #inOrder<T>(call: () => Promise<T>): Promise<T> {
    return this.#order.run(call)
  }

  #learn(part: WireExecution): void {
    this.#known = { ...this.#known, executionCount: part.executionCount, state: 'attached' }
    this.#pending = part.status === 'error' ? [] : part.pending.map(decodePending)
  }

  #json<T>(method: string, path: string, options: RequestOptions): Promise<T> {
    const { transport } = this.#context
    return this.#run(() => transport.json<T>(method, this.#path + path, { ...options, sessionId: this.id }))
  }

  #send(method: string, path: string, options: RequestOptions = {}): Promise<void> {
    const { transport } = this.#context
    return this.#run(() => transport.send(method, this.#path + path, { ...options, sessionId: this.id }))
  }

  /** @throws SessionClosedError, also when the server no longer has the session */
  async #run<T>(request: () => Promise<T>): Promise<T> {
    if (this.#lifecycle.kind === 'closed') throw new SessionClosedError(`the session ${this.id} is closed`)
    try {
      return await request()
    } catch (error) {
      if (!isMissing(error)) throw error
      this.#lifecycle = { kind: 'closed', closed: Promise.resolve() }
      throw new SessionClosedError(`the server has no session ${this.id} any more`, { cause: error })
    }
  }
}

/** @throws InvalidOptionError */
export function snapshotBytes(name: string, snapshot: SnapshotBytes | Uint8Array): Uint8Array {
  const bytes = isUint8Array(snapshot) ? snapshot : (snapshot as Partial<SnapshotBytes> | null)?.toBytes?.()
  if (isUint8Array(bytes)) return bytes
  throw new InvalidOptionError(name, 'a snapshot or the bytes of one', snapshot)
}

export function isMissing(error: unknown): boolean {
  return error instanceof ServerError && error.code === 'NOT_FOUND'
}

function variable(name: string): string {
  return `/variables/${encodeURIComponent(name)}`
}

function failureOf(error: unknown): { type?: string; message: string } {
  return error instanceof Error ? { type: error.name, message: error.message } : { message: String(error) }
}

function withoutUndefined<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never
}
