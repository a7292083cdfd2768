// Shared by the peers: the steps that each performs, and their results. Owns the interface, and the clock for peers that run in this
// process; a peer in a process of its own measures its own times. Each adapter is a file of this folder.
export const PEERS = ['brumate', 'eryx', 'monty', 'pyodide', 'python3'] as const
export type PeerName = (typeof PEERS)[number]

/** What a session is for. `bounded`: if the peer has deadlines, code that never ends is stopped after seconds. */
export type Purpose = 'callbacks' | 'deadline' | 'bounded' | 'durability' | 'checkpoints' | 'output'

export type Step =
  | { readonly do: 'create'; readonly session: string; readonly for?: Purpose }
  /** `value`: whether the value of the last expression is needed, as text. */
  | { readonly do: 'execute'; readonly session: string; readonly code: string; readonly value?: boolean }
  /** An execution whose effect is synced to the disk when it ends. */
  | { readonly do: 'cell'; readonly session: string; readonly code: string }
  /** The last snapshot is kept for `restore` and `recover`. */
  | { readonly do: 'snapshot'; readonly session: string }
  | { readonly do: 'restore'; readonly session: string }
  /** Does whatever is needed to make a session whose deadline has passed usable again, with the state of the last snapshot. */
  | { readonly do: 'recover'; readonly session: string }
  /** From now on the session keeps its state, and takes as few resources as the peer allows. */
  | { readonly do: 'rest'; readonly session: string }
  | { readonly do: 'close'; readonly session: string }
  /** Resident memory of the process, or processes, in which the sessions live. */
  | { readonly do: 'rss' }
  | { readonly do: 'sleep'; readonly forMs: number }

export type StepName = Step['do']

export interface Done {
  readonly ms: number
  readonly value?: string
  /** Size of a snapshot, or resident memory. */
  readonly bytes?: number
  /** How the step failed. */
  readonly error?: string
  /** Why the peer cannot do this step. */
  readonly cannot?: string
}

export interface Peer {
  readonly name: PeerName
  /** Python code that calls the host function `add` with 1 and 1. */
  readonly call: string
  /** The folder in which its sessions may write files. */
  readonly files: string
  /** How many sessions it can have at once before a measurement takes minutes. */
  readonly mostSessions: number
  /** Its code is machine code before it starts, so that a few repetitions warm it up. */
  readonly isCompiledAhead?: true
  /** Command for a new process that prints a line when it has its first result. */
  readonly firstResult: readonly [command: string, ...args: string[]]
  version(): Promise<string>
  /** Performs one step after another, with nothing in between. */
  perform(steps: readonly Step[]): Promise<readonly Done[]>
  close(): Promise<void>
}

export interface PeerOptions {
  /** Number of sessions that are open at the same time. */
  readonly sessions?: number
  /** Absolute path of a directory of wheels from which the peer gets numpy and pandas. */
  readonly wheels?: string
}

/** Thrown by a handler if the peer cannot do the step. */
export class Cannot extends Error {}

type Handlers = {
  readonly [Name in StepName]?: (step: Extract<Step, { do: Name }>) => unknown
}
/** The result of a handler. */
type Outcome = Omit<Done, 'ms'> | undefined

/**
 * Performs steps in this process. A missing handler means that the peer cannot do the step.
 *
 * @param cannot - reasons, by step
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
        // Awaited only if it is a promise, so that a synchronous peer does not pay for a turn of the event loop.
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

/** The command that measures the first result of all peers that are Node packages. */
export function firstResultHere(name: PeerName): Peer['firstResult'] {
  const child = new URL('../children/first-peer.js', import.meta.url)
  return [process.execPath, decodeURIComponent(child.pathname), name]
}
