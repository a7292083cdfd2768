// The listeners of a manager's events, and how they are called: in a microtask, so that a listener may call any method, and never so that
// one that throws gets in the way of the library or of others.
import type { ManagerEvents } from './events.js'

export type EventListener<Name extends keyof ManagerEvents> = (event: ManagerEvents[Name]) => unknown

interface Entry<Name extends keyof ManagerEvents = keyof ManagerEvents> {
  readonly listener: EventListener<Name>
}

export class EventListeners {
  readonly #entries: { readonly [Name in keyof ManagerEvents]: Set<Entry<Name>> } = {
    session: new Set(),
    slot: new Set(),
    checkpoint: new Set(),
  }

  /** @returns removes the listener, which is not called any more, not even with events that have happened */
  add<Name extends keyof ManagerEvents>(
    name: Name,
    listener: EventListener<Name>,
    signal: AbortSignal | undefined,
  ): () => void {
    // The entry keeps the signal alive, which may be one that only follows the caller's.
    const entry = { listener, signal }
    const remove = () => {
      this.#entries[name].delete(entry)
      signal?.removeEventListener('abort', remove)
    }
    if (signal?.aborted) return remove
    signal?.addEventListener('abort', remove, { once: true })
    this.#entries[name].add(entry)
    return remove
  }

  /** @param make is called if anybody listens */
  emit<Name extends keyof ManagerEvents>(name: Name, make: () => ManagerEvents[Name]): void {
    const entries = this.#entries[name]
    if (entries.size === 0) return
    const event = make()
    queueMicrotask(() => {
      for (const entry of [...entries]) if (entries.has(entry)) call(entry.listener, event)
    })
  }
}

/** What a listener throws becomes an uncaught exception, as with an EventTarget; what an async one rejects with, an unhandled rejection. */
function call<Event>(listener: (event: Event) => unknown, event: Event): void {
  try {
    listener(event)
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}
