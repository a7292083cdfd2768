// The order of a session's calls: a request is sent only when the server has received the one before, so calls that are not awaited keep
// their order, as they do without a network. Owns the queue.
import { CancelledError } from '../shared/errors.js'

export class Order {
  /** Opens when the server has received all calls so far; undefined if it has. */
  #gate: Promise<void> | undefined

  /**
   * @param call calls `sent` when the server has received the request; if it does not, the next call starts when it settles
   * @throws CancelledError when the signal aborts while it waits
   */
  async run<T>(call: (sent: () => void) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.#gate
    let open = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    }).then(() => {
      if (this.#gate === gate) this.#gate = undefined
    })
    this.#gate = gate
    try {
      // Runs at once if nothing is before it: an interrupt in the same turn must come after it.
      if (before) await unlessAborted(before, signal)
      return await call(open)
    } finally {
      // A call that gave up waiting must not let later calls overtake those before it.
      if (before) void before.then(open)
      else open()
    }
  }
}

function unlessAborted(gate: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return gate
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new CancelledError('not-started', { cause: signal.reason }))
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    void gate.then(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
  })
}
