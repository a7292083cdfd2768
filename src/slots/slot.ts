// One lease of a slot, on the main thread: an interpreter that starts as the image and serves one session. Owns all communication with
// it; nothing here outlives the lease (S1). thread.ts owns the worker's lifetime.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { deferred } from '../deferred.js'
import type { SlotLease } from '../memory/slot-lease.js'
import { SharedOutput } from '../shared/messages/output.js'
import type {
  LeaseWire,
  LiveOutput,
  SlotEvent,
  SlotMethods,
  SlotNotice,
  SlotReply,
} from '../shared/messages/slot.js'
import { ENDING, LOWERED, RAISED, SHIELD } from '../shared/threads/shield.js'
import { USER_CODE } from '../shared/threads/user-code.js'
import { MalformedValueError } from '../shared/values/decode.js'
import { CallDoor } from './call-door.js'
import { Channel, SlotEndedError } from './channel.js'
import { type CreditLease, SlotCredit } from './credit.js'

/**
 * An honest slot sends output in chunks, or when an execution waits, and so less often than this. A worker that sends more is
 * flooding this thread.
 */
const MAX_EVENTS_AT_ONCE = 10_000
const MAX_EVENTS_PER_MS = 50
/** These run no user code, so only a broken slot takes this long. */
const PROMPT_METHODS: ReadonlySet<string> = new Set(['revert', 'warm'])
const PROMPT_MS = 20_000
const BOOT_MS = 60_000
const RENEWAL_MS = 20_000
/**
 * Longest time until a slot is ready. A boot takes a tenth of a second, and longer if many boot at once on a busy machine. A renewal runs
 * no user code.
 */
const READY_MS = { boot: BOOT_MS, 'renew its interpreter': RENEWAL_MS } as const

/** Index in the Int32s shared with the slot's thread; src/shared/threads/ has the others. */
const INTERRUPT = 0
type CallsEvent = Extract<SlotEvent, { event: 'calls' }>
type OutputEvent = Extract<SlotEvent, { event: 'output' }>
type DisplayEvent = Extract<SlotEvent, { event: 'display' }>

/** Receives what an execution writes and displays while it runs; when its slot ends, also what the slot had not sent yet. */
export interface ExecutionListener {
  onOutput(output: LiveOutput): void
  onDisplay(display: Uint8Array): void
}

/** Limits for what an execution may send. `null`: no limit. */
export interface ExecutionBounds {
  /** Limit for each stream; characters are counted. */
  readonly outputBytes: number | null
  /** Limit in bytes for all displays together. */
  readonly resultBytes: number | null
}

/** Answers the host calls of the slot's session. */
export interface CallHandler {
  /** Handles new calls of an execution that awaits them. Throws or rejects with MalformedValueError if they are malformed. */
  calls(event: CallsEvent): void | Promise<void>
  /** Handles a call of code that blocks until it is answered. Throws or rejects in the same way. */
  blockingCall(request: Uint8Array, answer: (payload: Uint8Array) => void): void | Promise<void>
}

/** A slot's connection to a storage. */
interface Connection {
  close(): void
}

interface Listening {
  readonly listener: ExecutionListener
  /** Id of the execution's call. */
  readonly id: number
  /** Characters of output that may still arrive. */
  remaining: number
  remainingDisplayBytes: number
  /** Number of chunks of output that have arrived. */
  chunks: number
  events: number
  readonly startedMs: number
}

/** What a lease needs from its worker. */
interface Terminable {
  terminate(reason: string): void
}

export class Slot {
  readonly #thread: Terminable
  readonly #channel: Channel
  readonly #door: CallDoor
  readonly #credit: SlotCredit
  readonly #interrupt = new Int32Array(new SharedArrayBuffer(12))
  readonly #output = new SharedOutput()
  readonly #ready = deferred<void>()
  #endReason: string | undefined
  #isReady = false
  #lastCallId = 0
  /** Bytes of answers to host calls, since the lease began. */
  #sentAnswerBytes = 0
  #takenAnswerBytes = 0
  #listening: Listening | undefined
  #handler: CallHandler | undefined
  #connection: Connection | undefined

  /** The session has another slot and releases this one in a moment, so no spare has to be booted. */
  isLeaving = false

  /** The lease's share of the manager's memory. The pool closes it. */
  readonly memory: SlotLease
  /** Ports and shared memory for the slot's side of the lease, and which of them to transfer. */
  readonly wire: LeaseWire
  readonly transferList: readonly MessagePort[]

  /** @param preparation what the slot does before it is ready */
  constructor(thread: Terminable, memory: SlotLease, preparation: keyof typeof READY_MS) {
    this.#thread = thread
    this.memory = memory
    memory.onViolation = (what) => this.terminate(`its worker sent an invalid message: ${what}`)
    const { port1, port2 } = new MessageChannel()
    this.#channel = new Channel(port1, {
      onEvent: (event) => this.#receive(event),
      onViolation: (violation) => this.terminate(`its worker sent an invalid message: ${violation.message}`),
    })
    this.#door = new CallDoor(
      (request, answer) => this.#handle((handler) => handler.blockingCall(request, answer)),
      (what) => this.terminate(`its worker sent an invalid message: ${what}`),
    )
    const calls = this.#door.wire
    this.#credit = new SlotCredit(calls.changes, () => {
      this.tell({ notice: 'credit' })
      this.#door.wake()
    })
    const interrupt = this.#interrupt.buffer as SharedArrayBuffer
    this.wire = { port: port2, calls, interrupt, output: this.#output.memory, memory: memory.wire }
    this.transferList = [port2, calls.port, memory.wire.port]
    const readyMs = READY_MS[preparation]
    const timer = setTimeout(
      () => this.terminate(`its worker did not ${preparation} within ${readyMs} ms`),
      readyMs,
    )
    // A slot may end before anyone waits for it, which must not be an unhandled rejection.
    this.#ready.promise.finally(() => clearTimeout(timer)).catch(() => {})
  }

  /** @throws SlotEndedError when the slot ends before its interpreter has booted or been renewed */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  /** False once the lease has ended, whether or not its worker has. */
  get alive(): boolean {
    return this.#endReason === undefined
  }

  /** Returns an id for the next call, which `interrupt` can name. */
  nextCallId(): number {
    this.#lastCallId = (this.#lastCallId % 0x7fffffff) + 1
    return this.#lastCallId
  }

  /** @throws SlotEndedError when the slot ends before it has answered */
  call<Name extends keyof SlotMethods>(
    name: Name,
    args: Parameters<SlotMethods[Name]>,
    transfer?: ArrayBuffer[],
  ): Promise<SlotReply> {
    const reply = this.#channel.call(name, args, transfer)
    if (!PROMPT_METHODS.has(name)) return reply
    const timer = setTimeout(
      () => this.terminate(`its worker did not answer ${name} within ${PROMPT_MS} ms`),
      PROMPT_MS,
    )
    return reply.finally(() => clearTimeout(timer))
  }

  /** Raises KeyboardInterrupt in call `id`, whether it runs Python code, blocks in a wait, or awaits. */
  interrupt(id: number): void {
    if (this.#endReason !== undefined) return
    Atomics.store(this.#interrupt, INTERRUPT, id)
    Atomics.notify(this.#interrupt, INTERRUPT)
    this.#door.wake()
    this.call('interrupt', [id]).catch(() => {
      // The slot ended, which rejects call `id` as well.
    })
  }

  /** Whether the worker reports that it is running user code of capture `id`. */
  runsUserCode(id: number): boolean {
    return Atomics.load(this.#interrupt, USER_CODE) === id
  }

  /**
   * Sets the receiver of what execution `id` writes and displays. An honest slot enforces the same limits, so it sends no more, and sends
   * nothing while there is no listener.
   */
  listen(id: number, listener: ExecutionListener, { outputBytes, resultBytes }: ExecutionBounds): void {
    this.#listening = {
      listener,
      id,
      remaining: outputBytes === null ? Number.POSITIVE_INFINITY : 2 * outputBytes,
      remainingDisplayBytes: resultBytes ?? Number.POSITIVE_INFINITY,
      chunks: 0,
      events: 0,
      startedMs: performance.now(),
    }
  }

  unlisten(): void {
    this.#listening = undefined
  }

  /** Sets the handler of host calls. */
  connect(handler: CallHandler): void {
    this.#handler = handler
  }

  /** Replaces the slot's connection. The storage drops the locks and open files of the previous one. */
  mount(connection: Connection | undefined): void {
    this.#connection?.close()
    this.#connection = connection
    if (this.#endReason !== undefined) connection?.close()
  }

  /** Starts the credit lease of the session that attaches next, which returns credit for the arguments of host calls. */
  leaseCredit(): CreditLease {
    return this.#credit.lease()
  }

  /** Detaches the session. Until the next one attaches, the slot has none. */
  disconnect(): void {
    this.#handler = undefined
    this.#credit.end()
    this.mount(undefined)
  }

  /** Bytes of answers that were sent but, as the slot reports, not yet taken by Python. A false report harms only its own session. */
  get waitingAnswerBytes(): number {
    return Math.max(0, this.#sentAnswerBytes - this.#takenAnswerBytes)
  }

  sendsAnswers(answers: readonly Uint8Array[]): void {
    for (const { length } of answers) this.#sentAnswerBytes += length
  }

  hasTaken(answerBytes: number): void {
    this.#takenAnswerBytes = answerBytes
  }

  tell(notice: SlotNotice, transfer?: ArrayBuffer[]): void {
    this.#channel.tell(notice, transfer)
  }

  /** Ends the worker. Does nothing once the lease has ended, because the worker may have another lease by then. Idempotent. */
  terminate(reason: string): void {
    if (this.#endReason === undefined) this.#thread.terminate(reason)
  }

  /** Ends the lease and rejects every pending call (S2). Idempotent. */
  retire(reason: string): void {
    if (this.#endReason !== undefined) return
    this.#endReason = reason
    this.#hearTheRest()
    this.#listening = undefined
    this.#handler = undefined
    this.#credit.end()
    this.#channel.close(reason)
    this.#door.close()
    this.mount(undefined)
    this.#ready.reject(new SlotEndedError(reason))
  }

  /** Whether the worker must not be ended now (src/shared/threads/shield.ts). If false, it creates no more zlib streams. */
  isShielded(): boolean {
    return Atomics.compareExchange(this.#interrupt, SHIELD, LOWERED, ENDING) === RAISED
  }

  /** Blocks this thread. */
  waitForShield(milliseconds: number): void {
    Atomics.wait(this.#interrupt, SHIELD, RAISED, milliseconds)
  }

  #handle(call: (handler: CallHandler) => void | Promise<void>): void {
    if (this.#handler === undefined)
      return this.terminate('its worker sent an invalid message: a host call without a session')
    const refuse = (error: unknown) => {
      if (!(error instanceof MalformedValueError)) throw error
      this.terminate(`its worker sent an invalid message: ${error.message}`)
    }
    try {
      void call(this.#handler)?.catch(refuse)
    } catch (error) {
      refuse(error)
    }
  }

  #receive(event: SlotEvent): void {
    if (event.event === 'ready') {
      if (this.#isReady) return this.terminate('its worker sent an invalid message: a second `ready`')
      this.#isReady = true
      return this.#ready.resolve(undefined)
    }
    const listening = this.#listening
    if (
      listening === undefined ||
      ++listening.events > MAX_EVENTS_AT_ONCE + MAX_EVENTS_PER_MS * (performance.now() - listening.startedMs)
    ) {
      return this.terminate('its worker sent an invalid message: events without an execution, or too many')
    }
    if (event.event === 'calls') return this.#handle((handler) => handler.calls(event))
    this.#hear(listening, event)
  }

  #hear(listening: Listening, event: OutputEvent | DisplayEvent): void {
    if (event.event === 'display') {
      listening.remainingDisplayBytes -= event.display.length
      if (listening.remainingDisplayBytes < 0)
        return this.terminate('its worker sent an invalid message: more displays than its limit')
      return listening.listener.onDisplay(event.display)
    }
    if (event.text === '' || event.text.length > listening.remaining)
      return this.terminate(
        'its worker sent an invalid message: output without an execution, or more than its limit',
      )
    listening.remaining -= event.text.length
    listening.chunks += 1
    listening.listener.onOutput(event)
  }

  /** Delivers output that the worker has just sent, or written but not sent, so that nothing is lost however the slot ended. */
  #hearTheRest(): void {
    const listening = this.#listening
    if (listening === undefined) return
    this.#channel.takeEvents((event) => {
      if (event.event === 'output' || event.event === 'display') this.#hear(listening, event)
    })
    for (const stream of [1, 2] as const) {
      const bytes = this.#output.rest(listening.id, stream, listening.chunks)
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).slice(0, listening.remaining)
      if (text === '') continue
      listening.remaining -= text.length
      listening.listener.onOutput({ stream, text })
    }
  }
}
