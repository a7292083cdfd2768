// The listeners of a manager's events. Owns how they are called: in a microtask, so that a listener may call any method, and such that one
// that throws disturbs neither the library nor other listeners.
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

  /** @returns a function that removes the listener; the listener then does not even get events that have already happened */
  add<Name extends keyof ManagerEvents>(
    name: Name,
    listener: EventListener<Name>,
    signal: AbortSignal | undefined,
  ): () => void {
    // The entry keeps the signal alive: the signal may be a dependent one that nothing else references.
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

  /** @param make creates the event; called only if there is a listener */
  emit<Name extends keyof ManagerEvents>(name: Name, make: () => ManagerEvents[Name]): void {
    const entries = this.#entries[name]
    if (entries.size === 0) return
    const event = make()
    queueMicrotask(() => {
      for (const entry of [...entries]) if (entries.has(entry)) call(entry.listener, event)
    })
  }
}

/** An error that a listener throws becomes an uncaught exception, as with an EventTarget; a rejection becomes an unhandled rejection. */
function call<Event>(listener: (event: Event) => unknown, event: Event): void {
  try {
    listener(event)
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}
