// The main thread's part of a session's execution: its host calls, and the answers that are on their way. Owns the connection between the
// dispatcher and the session's current slot. callbacks/dispatcher.ts owns the calls themselves, placement.ts the state that they belong
// to.

import { answerTooMuch } from '../callbacks/answers.js'
import { describeCallbacks, type ResolvedCallbacks } from '../callbacks/callbacks.js'
import type { Caller } from '../callbacks/caller.js'
import { Dispatcher } from '../callbacks/dispatcher.js'
import type { EncodeAnswer } from '../callbacks/suspended-calls.js'
import { ArgumentWindow } from '../callbacks/window.js'
import type { MemoryAccount } from '../memory/account.js'
import type { SlotEvent } from '../shared/messages/slot.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import { MalformedValueError } from '../shared/values/decode.js'
import type { Lane } from '../shared/values/slices.js'
import type { Slot } from '../slots/slot.js'
import type { SessionContext } from './context.js'
import type { HostCallState } from './host-call-state.js'
import { factsOf } from './observed.js'
import type { ResolvedSessionOptions } from './options.js'

type CallsEvent = Extract<SlotEvent, { event: 'calls' }>

const LARGE_BYTES = 16_384
/** Limit for waiting answers if the session's memory has no limit. */
const MOST_WAITING_BYTES = 1024 * 1024 * 1024

interface Run {
  readonly slot: Slot
  readonly id: number
  /** Number of batches of host calls that the execution has sent. */
  batches: number
}

/** Has few objects and only the necessary functions, because there may be thousands of sessions. */
export interface HostSideParts {
  /** Passed to the callbacks unchanged. */
  readonly session: unknown
  readonly context: Pick<SessionContext, 'observer' | 'count'>
  readonly options: ResolvedSessionOptions
  /** The session's account. */
  readonly account: MemoryAccount
  readonly lane: Lane
  /** Called when answers were sent to the slot while nothing is running there, which changes the session's state. */
  readonly onSent: (slot: Slot) => void
}

export class HostSide implements HostCallState {
  readonly #parts: HostSideParts
  #callbacks: ResolvedCallbacks
  /** Undefined while the session has no host calls: there may be thousands of sessions that never make one. */
  #dispatcher: Dispatcher | undefined
  readonly #window: ArgumentWindow
  /** The slot for which the window was last opened. */
  #openedFor: Slot | undefined
  /** The slot that has the state, while answers may be sent to it. */
  #slot: Slot | undefined
  /** The last slot that answers could be sent to. */
  #lastSlot: Slot | undefined
  #run: Run | undefined
  #awaiting = false
  /** The observer's context of the last execution. */
  #spanContext: unknown
  /** Executions so far. */
  executionCount: number
  /** The callback, of any session, that made the call that is running now. */
  startedBy: Caller | undefined
  /** Answers not sent yet, because there is no slot, or because more may follow in this turn of the event loop. */
  #answers: Uint8Array<ArrayBuffer>[] = []
  #answerBytes = 0
  /** Bytes counted in the account for answers that Python has not taken. */
  #countedBytes = 0

  constructor(executionCount: number, parts: HostSideParts) {
    this.#parts = parts
    this.#callbacks = parts.options.callbacks
    this.executionCount = executionCount
    this.#window = new ArgumentWindow(parts.account)
  }

  /** Whether the session's state contains an execution that `resume` continues. */
  get awaiting(): boolean {
    return this.#awaiting
  }

  get pending(): PendingCall[] {
    return this.#dispatcher?.pending ?? []
  }

  get invocations(): number {
    return this.#dispatcher?.invocations ?? 0
  }

  get callbacks(): ResolvedCallbacks {
    return this.#callbacks
  }

  set callbacks(callbacks: ResolvedCallbacks) {
    this.#callbacks = callbacks
    if (this.#dispatcher) this.#dispatcher.callbacks = callbacks
  }

  /** @throws InvalidOptionError, ConversionError; no call is answered then */
  resolve(
    results: Readonly<Record<string, unknown>>,
    errors: Readonly<Record<string, unknown>>,
    encode: EncodeAnswer,
  ): Promise<Uint8Array<ArrayBuffer>[]> {
    return this.#dispatch().resolve(results, errors, encode)
  }

  /** Call when an execution starts or continues. */
  begin(slot: Slot, id: number): void {
    this.#run = { slot, id, batches: 0 }
    this.#awaiting = false
    this.#spanContext = this.#parts.context.observer.context
    this.#dispatcher?.begin(this.startedBy)
  }

  /** Suspends the running execution if all its pending calls are suspended already. */
  suspendIfWaiting(): void {
    if (this.#dispatcher?.isSuspended) this.#suspend()
  }

  /** Call when the execution has ended, or waits for `resume`. Does nothing if none was running. */
  end(how: 'completed' | 'suspended'): void {
    this.#countAnswers()
    if (this.#run === undefined) return
    this.#run = undefined
    this.#awaiting = how === 'suspended'
  }

  /** Call when the execution ended early. Aborts its host calls. */
  abort(reason: Error): void {
    this.#run = undefined
    this.#dispatcher?.abort(reason)
  }

  // Called by placement.ts and the slot.

  describeCallbacks(): unknown[] {
    return describeCallbacks(this.#callbacks)
  }

  reasons(): Record<string, string> {
    const given = this.pending.flatMap(({ id, reason }) =>
      reason === undefined ? [] : [[id, reason] as const],
    )
    return Object.fromEntries(given)
  }

  reset(reason: Error, why: 'lost' | 'replaced'): void {
    this.#slot = undefined
    this.#resetCalls(reason)
    // Not if it was lost: a guest could otherwise crash its interpreter repeatedly while callbacks still hold its arguments in memory.
    if (why === 'replaced') this.#window.releaseAll()
  }

  /** Drops only the host calls: the code that awaited them is gone, but the rest of the state stays. */
  dropCalls(reason: Error): void {
    this.#resetCalls(reason)
    this.#window.releaseAll()
  }

  restore(snapshot: Snapshot): void {
    const { pending, awaiting } = snapshot.describe()
    if (pending.length > 0) this.#dispatch().restore(pending)
    this.#awaiting = awaiting
  }

  pause(): void {
    this.#slot = undefined
    this.#countAnswers()
  }

  leave(): void {
    this.#openedFor = undefined
    this.#lastSlot = undefined
    this.#spanContext = undefined
    this.#window.leave()
    if (this.#dispatcher?.isReplaceable) this.#dispatcher = undefined
  }

  openWindow(slot: Slot): { readonly releasedBytes: number; readonly heldBytes: number } {
    this.#openedFor = slot
    return this.#window.open(slot.leaseCredit())
  }

  resume(slot: Slot): void {
    this.#window.settle(slot === this.#openedFor)
    if (slot !== this.#lastSlot) this.#dispatcher?.moveToSlot()
    this.#slot = this.#lastSlot = slot
    this.#flush()
  }

  calls({ id, batch, calls, takenBytes }: CallsEvent): void | Promise<void> {
    const run = this.#run
    if (run === undefined || run.id !== id || batch !== run.batches + 1)
      throw new MalformedValueError('host calls without an execution, or out of order')
    run.batches = batch
    run.slot.hasTaken(takenBytes)
    this.#countAnswers()
    return this.#dispatch().receive(calls)
  }

  blockingCall(request: Uint8Array, answer: (payload: Uint8Array) => void): void | Promise<void> {
    return this.#dispatch().receiveBlocking(request, answer)
  }

  #dispatch(): Dispatcher {
    if (this.#dispatcher === undefined) {
      const { session, context, options, lane } = this.#parts
      this.#dispatcher = new Dispatcher(this.#callbacks, {
        session,
        observer: context.observer,
        facts: () => factsOf(options),
        spanContext: () => this.#spanContext,
        limits: options.limits,
        onInput: options.onInput,
        window: this.#window,
        lane,
        onLate: () => context.count('lateAnswers'),
        onAnswer: (bytes) => this.#send(bytes),
        onSuspended: () => this.#suspend(),
      })
      this.#dispatcher.begin(this.startedBy)
    }
    return this.#dispatcher
  }

  /** Queues an answer. If the waiting answers would exceed Python's own memory limit, sends an error instead, to bound the memory here. */
  #send(answer: Uint8Array<ArrayBuffer>): void {
    const mostBytes = this.#parts.options.limits.memoryBytes ?? MOST_WAITING_BYTES
    const waitingBytes = this.#answerBytes + (this.#slot?.waitingAnswerBytes ?? 0)
    const isTooMuch = answer.length >= LARGE_BYTES && waitingBytes + answer.length > mostBytes
    const bytes = isTooMuch ? answerTooMuch(answer, mostBytes) : answer
    this.#answerBytes += bytes.length
    this.#countAnswers()
    // Send answers that arrive in the same turn in one message.
    if (this.#answers.push(bytes) === 1) queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    if (this.#slot?.alive !== true || this.#answers.length === 0) return
    const answers = this.#answers
    this.#answers = []
    this.#answerBytes = 0
    this.#slot.sendsAnswers(answers)
    if (this.#run === undefined) this.#parts.onSent(this.#slot)
    // Copying small answers is faster than transferring them.
    const large = answers.filter(({ length }) => length >= LARGE_BYTES).map(({ buffer }) => buffer)
    this.#slot.tell({ notice: 'answers', answers }, large)
  }

  #resetCalls(reason: Error): void {
    this.#dispatcher?.reset(reason)
    this.#answers = []
    this.#answerBytes = 0
    this.#countAnswers()
    this.#awaiting = false
    this.#run = undefined
  }

  #countAnswers(): void {
    const bytes = this.#answerBytes + (this.#slot?.waitingAnswerBytes ?? 0)
    this.#parts.account.take(bytes - this.#countedBytes)
    this.#countedBytes = bytes
  }

  #suspend(): void {
    const run = this.#run
    if (run === undefined) return
    this.#flush()
    run.slot.tell({ notice: 'suspend', id: run.id, batches: run.batches })
  }
}
