// What the peers have in common: steps that each of them performs, and what came of each. Owns the interface and the clock for peers
// that live in this process; a peer in a process of its own takes its own times. An adapter is one file of this folder.
export const PEERS = ['brumate', 'eryx', 'monty', 'pyodide', 'python3'] as const
export type PeerName = (typeof PEERS)[number]

/** What a session is made for. Bounded: code that never ends is stopped after seconds, where the peer has deadlines. */
export type Purpose = 'callbacks' | 'deadline' | 'bounded' | 'durability' | 'checkpoints' | 'output'

export type Step =
  | { readonly do: 'create'; readonly session: string; readonly for?: Purpose }
  /** `value`: the last expression is wanted, as text. */
  | { readonly do: 'execute'; readonly session: string; readonly code: string; readonly value?: boolean }
  /** An execution whose effect is on the disk, synced, when it ends. */
  | { readonly do: 'cell'; readonly session: string; readonly code: string }
  /** The last snapshot is kept for `restore` and `recover`. */
  | { readonly do: 'snapshot'; readonly session: string }
  | { readonly do: 'restore'; readonly session: string }
  /** Whatever it takes until a session whose deadline has passed can be used again with the state of the last snapshot. */
  | { readonly do: 'recover'; readonly session: string }
  /** From now on the session takes as little as the peer can make it take, and keeps its state. */
  | { readonly do: 'rest'; readonly session: string }
  | { readonly do: 'close'; readonly session: string }
  /** Resident memory of the process, or processes, in which the sessions live. */
  | { readonly do: 'rss' }
  | { readonly do: 'sleep'; readonly forMs: number }

export type StepName = Step['do']

export interface Done {
  readonly ms: number
  readonly value?: string
  /** Of a snapshot, or of resident memory. */
  readonly bytes?: number
  /** How the step failed. */
  readonly error?: string
  /** Why the peer has no such step. */
  readonly cannot?: string
}

export interface Peer {
  readonly name: PeerName
  /** A call of the host function `add` with 1 and 1. */
  readonly call: string
  /** The folder in which its sessions may write. */
  readonly files: string
  /** How many sessions it can have at once before a measurement takes minutes. */
  readonly mostSessions: number
  /** A new process that prints a line when it has its first result. */
  readonly firstResult: readonly [command: string, ...args: string[]]
  version(): Promise<string>
  /** One step after the other, with nothing in between. */
  perform(steps: readonly Step[]): Promise<readonly Done[]>
  close(): Promise<void>
}

export interface PeerOptions {
  /** Sessions that are open at the same time. */
  readonly sessions?: number
  /** Absolute path of a directory of wheels from which the peer gets numpy and pandas. */
  readonly wheels?: string
}

/** Thrown by a handler for what the peer cannot do. */
export class Cannot extends Error {}

type Handlers = {
  readonly [Name in StepName]?: (step: Extract<Step, { do: Name }>) => unknown
}
/** What a handler may return. */
type Outcome = Omit<Done, 'ms'> | undefined

/**
 * Performs steps in this process. A missing handler is a step that the peer cannot do.
 *
 * @param cannot - the reasons, by step
 */
export async function performHere(
  steps: readonly Step[],
  handlers: Handlers,
  cannot: Partial<Record<StepName, string>> = {},
): Promise<Done[]> {
  const done: Done[] = []
  for (const step of steps) {
    const handler = handlers[step.do] as ((step: Step) => unknown) | undefined
    if (step.do === 'sleep') {
      await new Promise((resolve) => setTimeout(resolve, step.forMs))
      done.push({ ms: step.forMs })
    } else if (step.do === 'rss' && handler === undefined) {
      globalThis.gc?.()
      done.push({ ms: 0, bytes: process.memoryUsage.rss() })
    } else if (handler === undefined) {
      done.push({ ms: 0, cannot: cannot[step.do] ?? 'has nothing of the kind' })
    } else {
      const startedMs = performance.now()
      try {
        const promised = handler(step)
        // A synchronous peer is not charged for a turn of the event loop.
        const outcome = (promised instanceof Promise ? await promised : promised) as Outcome
        done.push({ ms: performance.now() - startedMs, ...outcome })
      } catch (error) {
        const ms = performance.now() - startedMs
        const message = error instanceof Error ? error.message : String(error)
        done.push(error instanceof Cannot ? { ms, cannot: message } : { ms, error: message })
      }
    }
  }
  return done
}

/** The code of a one-line driver: what all peers that are Node packages are started with, for their first result. */
export function firstResultHere(name: PeerName): Peer['firstResult'] {
  const child = new URL('../children/first-peer.js', import.meta.url)
  return [process.execPath, decodeURIComponent(child.pathname), name]
}
