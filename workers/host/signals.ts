// Signals to running Python code, and waiting without CPU. CPython polls for a signal number every few bytecodes; C code asks the
// host to call a handler. Owns the pending signal; interrupt.ts owns which execution an interrupt is for.
import { SIGINT } from './abi.js'
import type { BoundExports } from './bound-exports.js'
import type { ImportFunction } from './guard.js'
import type { HostCallDoor } from './host-calls.js'
import type { InterruptCell } from './interrupt.js'

/** Callbacks that let the host's owner do something while guest code runs on the thread. They must be quick. */
export interface Pulse {
  /** Called every few bytecodes of running Python code. */
  readonly onTick: () => void
  /** Called before the thread sleeps. */
  readonly onSleep: () => void
  /** Called when code flushes a standard stream. */
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

  /** Drops a pending signal, because the code that it was for is gone. */
  drop(): void {
    this.#raised = 0
  }

  /** Makes the running code get a KeyboardInterrupt when it next polls for signals. */
  raiseInterrupt(): void {
    this.#raised = SIGINT
  }

  /** Removes and returns the number of the pending signal; 0 if there is none. */
  take(): number {
    this.#pulse.onTick()
    if (this.#raised !== 0) {
      const signal = this.#raised
      this.#raised = 0
      return signal
    }
    return this.#interrupt.take() ? SIGINT : 0
  }

  /** Called when code flushes its output. */
  flushOutput(): void {
    this.#pulse.onFlush()
  }

  /** Sleeps without CPU. A signal ends the sleep and stays pending. */
  wait(milliseconds: number): 'interrupted' | 'timeout' {
    if (this.#raised !== 0) return 'interrupted'
    this.#pulse.onSleep()
    return this.#interrupt.wait(milliseconds)
  }

  /** Like `wait`, but an answer at the door also ends the sleep. */
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
    // Calls into the interpreter. A pointer to anything but a function throws here, which ends the interpreter (guard.ts).
    __call_sighandler: (handler: number, signal: number) => {
      const call = context.exports?.__indirect_function_table.get(handler >>> 0) as (signal: number) => void
      call(signal)
    },
  }
}
