// Signals: what reaches running Python code from outside, and waiting without CPU. CPython asks for a signal number every few
// bytecodes; C code asks the host to call a handler. Owns what is due; which execution an interrupt is for is interrupt.ts's.
import { SIGINT } from './abi.js'
import type { BoundExports } from './bound-exports.js'
import type { ImportFunction } from './guard.js'
import type { HostCallDoor } from './host-calls.js'
import type { InterruptCell } from './interrupt.js'

/** Moments in which the host's owner can do something while the guest's code has the thread. Must be quick. */
export interface Pulse {
  /** Every few bytecodes of running Python code. */
  readonly onTick: () => void
  /** Before the thread sleeps. */
  readonly onSleep: () => void
  /** Code flushes a standard stream. */
  readonly onFlush: () => void
}

export class Signals {
  readonly #interrupt: InterruptCell
  readonly #pulse: Pulse
  #raised = 0

  constructor(interrupt: InterruptCell, pulse: Pulse) {
    this.#interrupt = interrupt
    this.#pulse = pulse
  }

  beginExecution(id: number): void {
    this.#raised = 0
    this.#interrupt.begin(id)
  }

  /** What is due was for code that is gone. */
  drop(): void {
    this.#raised = 0
  }

  /** The running code gets a KeyboardInterrupt at the next occasion. */
  raiseInterrupt(): void {
    this.#raised = SIGINT
  }

  /** The number of a signal that is due, once; else 0. */
  take(): number {
    this.#pulse.onTick()
    if (this.#raised !== 0) {
      const signal = this.#raised
      this.#raised = 0
      return signal
    }
    return this.#interrupt.take() ? SIGINT : 0
  }

  /** Code wants what it has written to be heard. */
  flushOutput(): void {
    this.#pulse.onFlush()
  }

  /** Sleeps without CPU. Ended by a signal, which stays due. */
  wait(milliseconds: number): 'interrupted' | 'timeout' {
    if (this.#raised !== 0) return 'interrupted'
    this.#pulse.onSleep()
    return this.#interrupt.wait(milliseconds)
  }

  /** The same, ended by an answer at the door as well. */
  waitAt(door: HostCallDoor, milliseconds: number): 'ready' | 'interrupted' | 'timeout' {
    if (this.#raised !== 0) return 'interrupted'
    this.#pulse.onSleep()
    return door.wait(milliseconds, () => this.#interrupt.pending)
  }
}

export interface SignalContext {
  readonly signals: Signals
  readonly exports: Pick<BoundExports, '__indirect_function_table'> | undefined
}

export function signalImports(context: SignalContext): Readonly<Record<string, ImportFunction>> {
  const { signals } = context
  return {
    _Py_CheckEmscriptenSignals_Helper: () => signals.take(),
    // Calls into the interpreter: a pointer that is no such function ends it, as a wild call inside WebAssembly would.
    __call_sighandler: (handler: number, signal: number) => {
      const call = context.exports?.__indirect_function_table.get(handler >>> 0) as (signal: number) => void
      call(signal)
    },
  }
}
