// The RPC channel to one slot: Comlink behind the message guard, with a table of pending calls that every end of the slot
// drains (S2). Owns the port and the pending calls; starting and ending the worker is slot.ts's.
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

/** The slot is gone; `message` says why. Sessions turn it into what their caller understands. */
export class SlotEndedError extends Error {
  override readonly name = 'SlotEndedError'
}

/** Messages that are looked at when a slot has ended. Our code sends few before a snapshot. */
const MOST_LOOKS = 100
/** Longest look for what an execution sent last. */
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
  /** The slot sent what our code never sends: it must be ended. */
  readonly onViolation: (violation: ProtocolViolation) => void
}

/** Calls through Comlink: all but those of `DirectRequest`. */
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
  /** Ids of Comlink requests without a reply yet: each answers once, and no other is listened to (D17). */
  readonly #requests = new Set<string>()
  /**
   * What Comlink's side sees of ours. Comlink registers its endpoint for finalization, which keeps it until its proxies
   * are collected: cut here on close, or every channel would keep itself alive.
   */
  readonly #link: Link = { send: undefined, deliver: undefined }
  /**
   * Why the channel is closed. Text, because an error's stack would keep the code that closed it in memory as long as the port.
   */
  #closed: string | undefined

  constructor(port: MessagePort, options: ChannelOptions) {
    this.#port = port
    this.#options = options
    this.#link.send = (message, transfer) => this.#send(message, transfer)
    const remote = comlink.wrap<SlotMethods>(endpoint(this.#link))
    // Every access makes a new proxy and registers it for finalization: once per method is enough.
    this.#methods = new Map(METHODS.map((name) => [name, remote[name] as unknown as Method]))
    this.#poller = new MessagePoller(port, (raw) => this.#receive(raw))
    port.on('messageerror', () =>
      this.#options.onViolation(new ProtocolViolation('a message that cannot be read')),
    )
    port.on('close', () => {
      if (!this.#closed) this.#options.onViolation(new ProtocolViolation('it closed its channel'))
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

  /** Tells the slot something that has no answer; nothing when it has ended. */
  tell(notice: SlotNotice, transfer: ArrayBuffer[] = []): void {
    if (this.#closed !== undefined) return
    this.#port.postMessage(notice, transfer)
    this.#poller.pollFor('calls')
  }

  /**
   * Events that have arrived and were not delivered, when the slot has ended. A snapshot among them is delivered, other messages are
   * dropped.
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

  /** Ends the channel and rejects whatever is pending (S2). Idempotent. */
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
    // What was delivered just now settles first: Comlink passes it on by promises.
    setImmediate(() => {
      for (const { reject } of [...direct, ...this.#pending]) reject(new SlotEndedError(reason))
      this.#pending.clear()
    })
  }

  /** A snapshot that has come is good whatever became of the slot, and a session may have nothing else left (S3). */
  #takeCaptured(): void {
    if (![...this.#pending].some(({ name }) => name === 'snapshot')) return
    try {
      // A slot that is ended for a flood may still be sending.
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
    if (!this.#requests.delete(id)) throw new ProtocolViolation('a reply to nothing that was asked')
    this.#link.deliver?.({ data: { id, type: 'RAW', value: reply } })
  }

  #send(message: { readonly id?: unknown }, transfer?: ArrayBuffer[]): void {
    if (typeof message.id === 'string') this.#requests.add(message.id)
    this.#port.postMessage(message, transfer)
    this.#poller.pollFor('reply')
  }
}

/** What Comlink sees: it sends through the channel and hears only what the guard let through. */
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
