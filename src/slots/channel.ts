// The RPC channel to one slot: Comlink behind the message guard, with a table of pending calls that is drained however the slot
// ends (S2). Owns the port and the pending calls; thread.ts starts and ends the worker.
import type { MessagePort } from 'node:worker_threads'
import * as comlink from 'comlink/dist/esm/comlink.mjs'
import {
  DIRECT_METHODS,
  type DirectMethod,
  type DirectRequest,
  type SlotEvent,
  type SlotMethods,
  type SlotNotice,
  type SlotReply,
} from '../shared/messages/slot.js'
import { hasCoreToSpin, slotBecomesBusy, slotBecomesIdle } from './crowd.js'
import { guard, ProtocolViolation } from './guard.js'
import { MessagePoller } from './message-poller.js'

/** The slot has ended; `message` says why. Sessions turn it into an error for their caller. */
export class SlotEndedError extends Error {
  override readonly name = 'SlotEndedError'
}

/** Number of messages that are searched for a snapshot when a slot has ended. Our code sends few messages before a snapshot. */
const MOST_LOOKS = 100
/** Longest time to read the last messages of an execution when a slot has ended. */
const LOOK_MS = 10

interface Pending {
  readonly name: keyof SlotMethods
  readonly resolve: (reply: SlotReply) => void
  readonly reject: (error: Error) => void
}

/** Prefix of the ids of direct requests; Comlink's ids are UUIDs. */
const DIRECT = 'x'
const PATHS: ReadonlyMap<string, readonly [DirectMethod]> = new Map(
  DIRECT_METHODS.map((name) => [name, [name]]),
)

type Method = (...args: readonly unknown[]) => Promise<SlotReply>
interface Link {
  send: ((message: { readonly id?: unknown }, transfer?: ArrayBuffer[]) => void) | undefined
  deliver: Deliver | undefined
}

type Deliver = (message: { readonly data: unknown }) => void

interface ChannelOptions {
  readonly onEvent: (event: SlotEvent) => void
  /** Called when the slot sent something that our code never sends. The slot must be ended. */
  readonly onViolation: (violation: ProtocolViolation) => void
}

/** Methods that are called through Comlink: all except those of `DirectRequest`. */
const METHODS = [
  'attach',
  'resume',
  'setCallbacks',
  'clear',
  'interrupt',
  'snapshot',
  'restore',
  'revert',
  'file',
  'warm',
] as const satisfies readonly (keyof SlotMethods)[]

export class Channel {
  readonly #port: MessagePort
  readonly #poller: MessagePoller
  readonly #options: ChannelOptions
  readonly #methods: ReadonlyMap<keyof SlotMethods, Method>
  readonly #pending = new Set<Pending>()
  /** Calls that bypass Comlink, by request id. */
  readonly #direct = new Map<string, Pending>()
  #lastDirect = 0
  /** Pending calls of both kinds. */
  #calls = 0
  /** Ids of Comlink requests without a reply yet. Each gets one reply; replies with other ids are violations (D17). */
  readonly #requests = new Set<string>()
  /**
   * The only reference from Comlink's endpoint to this channel. Comlink registers the endpoint for finalization, which keeps it alive until
   * its proxies are collected. So the link is cut on close; otherwise every channel would keep itself alive.
   */
  readonly #link: Link = { send: undefined, deliver: undefined }
  /**
   * Why the channel is closed. A string, because an error's stack would keep the code that closed it in memory as long as the port.
   */
  #closed: string | undefined

  constructor(port: MessagePort, options: ChannelOptions) {
    this.#port = port
    this.#options = options
    this.#link.send = (message, transfer) => this.#send(message, transfer)
    const remote = comlink.wrap<SlotMethods>(endpoint(this.#link))
    // Access each method once, because every access creates a new proxy and registers it for finalization.
    this.#methods = new Map(METHODS.map((name) => [name, remote[name] as unknown as Method]))
    this.#poller = new MessagePoller(port, (raw) => this.#receive(raw))
    port.on('messageerror', () =>
      this.#options.onViolation(new ProtocolViolation('a message that cannot be read')),
    )
    port.on('close', () => {
      if (!this.#closed) this.#options.onViolation(new ProtocolViolation('the worker closed its channel'))
    })
    this.#poller.unref()
  }

  /**
   * Calls one method of the slot. The process stays alive while a call is pending.
   *
   * @throws SlotEndedError when the slot ends first
   */
  call<Name extends keyof SlotMethods>(
    name: Name,
    args: Parameters<SlotMethods[Name]>,
    transfer: ArrayBuffer[] = [],
  ): Promise<SlotReply> {
    if (this.#closed !== undefined) return Promise.reject(new SlotEndedError(this.#closed))
    const path = PATHS.get(name)
    if (path !== undefined) return this.#callDirectly(path, args, transfer)
    return new Promise<SlotReply>((resolve, reject) => {
      const pending: Pending = { name, resolve, reject }
      const settle = () => {
        if (this.#pending.delete(pending)) this.#leave()
      }
      this.#pending.add(pending)
      this.#enter()
      const last = args.at(-1)
      if (transfer.length > 0 && typeof last === 'object' && last !== null) comlink.transfer(last, transfer)
      const method = this.#methods.get(name)
      if (method === undefined) throw new TypeError(`no method ${name}`)
      method(...args).then(
        (reply) => {
          settle()
          resolve(reply)
        },
        (error: Error) => {
          settle()
          reject(error)
        },
      )
    })
  }

  /** Like `call`, but without Comlink: the reply comes directly from the guard. */
  #callDirectly(
    path: readonly [DirectMethod],
    args: readonly unknown[],
    transfer: ArrayBuffer[],
  ): Promise<SlotReply> {
    return new Promise<SlotReply>((resolve, reject) => {
      this.#lastDirect += 1
      const id = `${DIRECT}${this.#lastDirect}`
      this.#direct.set(id, { name: path[0], resolve, reject })
      this.#enter()
      const request: DirectRequest = {
        id,
        type: 'APPLY',
        path,
        argumentList: args.map((value) => ({ type: 'RAW', value })),
        isCrowded: !hasCoreToSpin(),
      }
      this.#port.postMessage(request, transfer)
      this.#poller.pollFor('reply')
    })
  }

  /** Counts a pending call, which keeps the process alive. */
  #enter(): void {
    this.#calls += 1
    if (this.#calls > 1) return
    slotBecomesBusy()
    this.#poller.ref()
  }

  #leave(): void {
    if (this.#closed !== undefined) return
    this.#calls -= 1
    if (this.#calls > 0) return
    slotBecomesIdle()
    this.#poller.unref()
  }

  /** Sends the slot a notice, which has no answer. Does nothing once the slot has ended. */
  tell(notice: SlotNotice, transfer: ArrayBuffer[] = []): void {
    if (this.#closed !== undefined) return
    this.#port.postMessage(notice, transfer)
    this.#poller.pollFor('calls')
  }

  /**
   * Call when the slot has ended. Passes on events that have arrived and were not delivered. Delivers a snapshot among them, and drops
   * other messages.
   */
  takeEvents(onEvent: (event: SlotEvent) => void): void {
    this.#poller.close()
    const untilMs = performance.now() + LOOK_MS
    try {
      while (performance.now() < untilMs) {
        const left = this.#poller.take()
        if (left === undefined) return
        const message = guard(left.message)
        if (message.kind === 'event') onEvent(message.event)
        else if (message.reply.kind === 'captured') this.#deliver(message)
      }
    } catch (error) {
      // The slot is being ended anyway.
      if (!(error instanceof ProtocolViolation)) throw error
    }
  }

  /** Closes the channel and rejects all pending calls (S2). Idempotent. */
  close(reason: string): void {
    if (this.#closed !== undefined) return
    this.#poller.close()
    this.#takeCaptured()
    this.#closed = reason
    this.#port.close()
    this.#link.send = undefined
    this.#link.deliver = undefined
    this.#requests.clear()
    const direct = [...this.#direct.values()]
    this.#direct.clear()
    if (this.#calls > 0) slotBecomesIdle()
    this.#calls = 0
    // Wait a turn, so that calls whose reply was just delivered settle first: Comlink passes replies on through promises.
    setImmediate(() => {
      for (const { reject } of [...direct, ...this.#pending]) reject(new SlotEndedError(reason))
      this.#pending.clear()
    })
  }

  /** Delivers a snapshot that has arrived. It is valid however the slot ended, and may be all that is left of the session (S3). */
  #takeCaptured(): void {
    if (![...this.#pending].some(({ name }) => name === 'snapshot')) return
    try {
      // Read a limited number of messages: a slot that is ended because it floods this thread may still be sending.
      for (let looks = 0; looks < MOST_LOOKS; looks++) {
        const left = this.#poller.take()
        if (left === undefined) return
        const message = guard(left.message)
        if (message.kind === 'reply' && message.reply.kind === 'captured') return this.#deliver(message)
      }
    } catch (error) {
      // The slot is being ended anyway.
      if (!(error instanceof ProtocolViolation)) throw error
    }
  }

  #receive(raw: unknown): void {
    if (this.#closed !== undefined) return
    try {
      const message = guard(raw)
      if (message.kind === 'event') return this.#options.onEvent(message.event)
      this.#deliver(message)
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error
      this.#options.onViolation(error)
    }
  }

  #deliver({ id, reply }: { readonly id: string; readonly reply: SlotReply }): void {
    const direct = this.#direct.get(id)
    if (direct !== undefined) {
      this.#direct.delete(id)
      this.#leave()
      return direct.resolve(reply)
    }
    if (!this.#requests.delete(id)) throw new ProtocolViolation('a reply without a matching request')
    this.#link.deliver?.({ data: { id, type: 'RAW', value: reply } })
  }

  #send(message: { readonly id?: unknown }, transfer?: ArrayBuffer[]): void {
    if (typeof message.id === 'string') this.#requests.add(message.id)
    this.#port.postMessage(message, transfer)
    this.#poller.pollFor('reply')
  }
}

/** The endpoint given to Comlink. It sends through the channel, and receives only messages that passed the guard. */
function endpoint(link: Link): comlink.Endpoint {
  return {
    postMessage: (message: { readonly id?: unknown }, transfer?: ArrayBuffer[]) =>
      link.send?.(message, transfer),
    addEventListener: (_type: string, listener: unknown) => {
      link.deliver = listener as Deliver
    },
    removeEventListener: () => {},
  }
}
