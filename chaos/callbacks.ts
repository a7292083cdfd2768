// The callbacks of every session: they answer at once, late, or never, throw odd errors, or suspend. Owns the timers of late
// answers, so that a run can end.
import type { CallbackFn, Snapshot } from 'brumate'

/** The run's `limits.callbackTimeoutMs`; TOO_LATE_MS exceeds it. */
export const CALLBACK_TIMEOUT_MS = 150
const TOO_LATE_MS = 400

export interface Frozen {
  readonly session: string
  readonly snapshot: Promise<Snapshot>
}

export class ChaosCallbacks {
  readonly #onFrozen: (frozen: Frozen) => void
  called = 0

  constructor(onFrozen: (frozen: Frozen) => void) {
    this.#onFrozen = onFrozen
  }

  get all(): Record<string, CallbackFn> {
    const counted =
      (fn: CallbackFn): CallbackFn =>
      (args, context) => {
        this.called++
        return fn(args, context)
      }
    return {
      ok: counted(({ x }: { x: number }) => x + 1),
      late: counted(({ ms }: { ms: number }) => sleep(ms)),
      never: counted(() => sleep(TOO_LATE_MS).then(() => 'too late')),
      boom: counted(({ kind }: { kind: number }) => {
        throw thrown(kind)
      }),
      ask: counted((_, { suspend }) => suspend('chaos')),
      frozen: counted(async ({ amount }: { amount: number }, { session }) => {
        const snapshot = session.snapshotState()
        this.#onFrozen({ session: session.id, snapshot })
        await snapshot.catch(() => {})
        return amount
      }),
    }
  }
}

/** Values that no code should throw. */
function thrown(kind: number): unknown {
  const unreadable = () => {
    throw new Error('not to be read')
  }
  return [
    new RangeError('plain'),
    Object.create(null),
    Symbol('chaos'),
    new Proxy({}, { get: unreadable, getPrototypeOf: unreadable }),
    Object.defineProperty(new Error(), 'message', { get: unreadable }),
    undefined,
  ][kind]
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
