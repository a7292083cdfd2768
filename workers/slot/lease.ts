// The slot's side of one lease: everything that serves a session, except for the interpreter. Owns the lease's host, ports, shared words,
// memory budget and buffers. The next lease gets new ones of each, so nothing of a lease can remain (S1).
import type { MessagePort } from 'node:worker_threads'
import * as comlink from 'comlink/dist/esm/comlink.mjs'
import { SharedOutput } from '../../src/shared/messages/output.js'
import {
  DIRECT_METHODS,
  type DirectMethod,
  type DirectRequest,
  type LeaseWire,
  type SlotMethods,
  type SlotNotice,
  type SlotReply,
} from '../../src/shared/messages/slot.js'
import { Shield } from '../../src/shared/threads/shield.js'
import { UserCodeMark } from '../../src/shared/threads/user-code.js'
import type { DisplayReceiver } from '../host/displays.js'
import { PagePool } from '../host/fs/page-pool.js'
import { Host } from '../host/host.js'
import { HostCalls } from '../host/host-calls.js'
import { InterruptCell } from '../host/interrupt.js'
import type { ReadableImage } from '../image-bytes.js'
import type { Interpreter } from '../interpreter/interpreter.js'
import { SlotBudget } from '../memory/budget.js'
import { Inbox } from './inbox.js'
import { Output } from './output.js'
import { SlotService } from './service.js'

/** Where requests go: to Comlink's listener, once it is registered. */
interface Requests {
  hear: (event: { readonly data: unknown }) => void
}

interface Opened {
  readonly wire: LeaseWire
  readonly service: SlotService
  readonly inbox: Inbox
}

export class SlotLeaseSide {
  readonly host: Host
  readonly #image: ReadableImage
  readonly #interrupt = new InterruptCell()
  readonly #door = new HostCalls()
  readonly #memory = new SlotBudget()
  #output: Output | undefined
  #onDisplay: DisplayReceiver = () => {}
  #opened: Opened | undefined

  constructor(image: ReadableImage) {
    this.#image = image
    const chunks = new PagePool(this.#memory)
    this.#memory.onShort = () => chunks.drop()
    this.host = new Host({
      files: image.files,
      bytes: image.bytes,
      native: image.native,
      cwd: image.cwd,
      interrupt: this.#interrupt,
      memory: this.#memory,
      chunks,
      onOutput: (stream, from, start, end) => this.#output?.write(stream, from, start, end),
      onDisplay: (display) => this.#onDisplay(display),
      door: this.#door,
      pulse: {
        onTick: () => this.#output?.flushDue(),
        onSleep: () => this.#output?.flush(),
        onFlush: () => this.#output?.flushPart(),
      },
    })
  }

  /** Starts serving the main thread over this wire. The interpreter must import from this lease's host. */
  open(wire: LeaseWire, interpreter: Interpreter): void {
    const { port } = wire
    this.#interrupt.share(wire.interrupt)
    this.#door.share(wire.calls)
    this.#memory.share(wire.memory)
    const output = new Output(
      (live) => port.postMessage({ event: 'output', id: service.executionId, ...live }),
      new SharedOutput(wire.output),
    )
    this.#output = output
    this.#onDisplay = (display) => {
      // Drop displays made outside an execution: no caller receives them.
      if (output.isSent)
        port.postMessage({ event: 'display', id: service.executionId, display }, movable(display))
    }
    const requests: Requests = { hear: () => {} }
    const inbox = new Inbox(port, (message) => {
      if ('notice' in message) service.told(message as SlotNotice)
      else if (isDirect(message as Partial<DirectRequest>)) serveDirect(message as DirectRequest)
      else requests.hear({ data: message })
    })
    const service = new SlotService({
      image: this.#image,
      host: this.host,
      interpreter,
      output,
      memory: this.#memory,
      shield: new Shield(wire.interrupt),
      userCode: new UserCodeMark(wire.interrupt),
      credit: this.#door.credit,
      emit: (event, bytes) => port.postMessage(event, movable(bytes)),
      onAwait: () => inbox.linger('answer'),
    })
    /** Handles a request that bypasses Comlink. If the code awaits nothing, the reply is sent in the same turn of the event loop. */
    const serveDirect = ({ id, path: [name], argumentList, isCrowded }: DirectRequest) => {
      inbox.isCrowded = isCrowded
      const answer = (reply: SlotReply) => {
        port.postMessage({ id, type: 'RAW', value: reply }, transfers(reply))
        inbox.linger('request')
      }
      const args = argumentList.map(({ value }) => value)
      const reply = (service[name] as (...args: unknown[]) => SlotReply | Promise<SlotReply>).apply(
        service,
        args,
      )
      if (reply instanceof Promise) void reply.then(answer)
      else answer(reply)
    }
    this.#opened = { wire, service, inbox }
    comlink.expose(transferring(service), endpoint(port, inbox, requests))
    port.postMessage({ event: 'ready' })
  }

  /**
   * Ends the lease. The main thread has already ended its side.
   *
   * @throws Error if something of the lease still runs, or reads the interpreter's memory
   */
  end(): void {
    if (this.#opened === undefined) return
    const { wire, service, inbox } = this.#opened
    if (!service.isAtRest)
      throw new Error('the lease cannot end: something of it still runs, or its interpreter has ended')
    inbox.close()
    wire.port.close()
    wire.calls.port.close()
    wire.memory.port.close()
  }

  /** Frees file memory that was kept for reuse. Call it once the interpreter imports from another host. */
  free(): void {
    this.#memory.onShort()
  }
}

function isDirect({ path }: Partial<DirectRequest>): boolean {
  return path?.length === 1 && DIRECT_METHODS.includes(path[0])
}

/** Comlink's end of the port: gets all messages except notices and direct requests. After each reply, spins for the next request. */
function endpoint(port: MessagePort, inbox: Inbox, requests: Requests): comlink.Endpoint {
  return {
    postMessage: (message: unknown, transfer?: ArrayBuffer[]) => {
      port.postMessage(message, transfer)
      inbox.linger('request')
    },
    addEventListener: (_type: string, listener: unknown) => {
      requests.hear = listener as Requests['hear']
    },
    removeEventListener: () => {},
  }
}

/** The buffer, if transferring it is faster than copying: from 16 KB on. */
function movable(bytes: Uint8Array): ArrayBuffer[] {
  return bytes.length >= 16_384 ? [bytes.buffer as ArrayBuffer] : []
}

/** The buffers of a reply that are worth transferring; undefined if the reply has no bytes. */
function transfers(reply: SlotReply): ArrayBuffer[] | undefined {
  switch (reply.kind) {
    case 'outcome': {
      const { payload } = reply
      return payload === null ? undefined : movable(payload)
    }
    case 'captured':
      return movable(reply.body)
    case 'file':
      return reply.bytes === null ? undefined : movable(reply.bytes)
    default:
      return undefined
  }
}

/**
 * Wraps the service so that replies transfer large byte arrays instead of copying them. A transferred snapshot body belongs to the main
 * thread alone, so this thread cannot change it later. Lists the methods explicitly, because Comlink exposes everything that it can reach.
 */
function transferring(service: SlotService): Omit<SlotMethods, DirectMethod> {
  const replying = async (reply: Promise<SlotReply>) => {
    const settled = await reply
    const moved = transfers(settled)
    return moved === undefined ? settled : comlink.transfer(settled, moved)
  }
  return {
    attach: (request) => replying(service.attach(request)),
    resume: (request) => replying(service.resume(request)),
    setCallbacks: (callbacks) => replying(service.setCallbacks(callbacks)),
    clear: (id) => replying(service.clear(id)),
    interrupt: (id) => service.interrupt(id),
    snapshot: (id, request) => replying(service.snapshot(id, request)),
    restore: (request) => replying(service.restore(request)),
    file: (request) => replying(service.file(request)),
    revert: () => service.revert(),
    warm: (thoroughly) => service.warm(thoroughly),
  }
}
