// The parent's side of run-case.mjs: a child process that is started on first use, and again after a case has ended it. A crash and a
// timeout are results like any other.
import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'

const RUNNER = fileURLToPath(new URL('run-case.mjs', import.meta.url))
export const DIST = new URL('../../../dist/', import.meta.url).href

/** What a case did to its process. */
export interface ProcessState {
  readonly uncaught: readonly string[]
  readonly polluted: readonly string[]
  /** Longest processor time of the main thread between two turns of its event loop, accurate to about five milliseconds. */
  readonly longestTurnMs: number
  /** Resident memory before the case ran: V8 may not have freed the memory of earlier cases yet. */
  readonly startRssBytes: number
  /** Highest resident memory seen while it ran. */
  readonly peakRssBytes: number
  readonly newResources: number
}

export type CaseResult<Output> =
  | { readonly kind: 'done'; readonly output: Output; readonly state: ProcessState }
  | { readonly kind: 'died'; readonly status: number | string | null; readonly stderr: string }
  | { readonly kind: 'hung'; readonly stderr: string }
  /** The child was killed because it held more memory than allowed. */
  | { readonly kind: 'bloated'; readonly rssBytes: number }

export interface ChildOptions {
  readonly canary?: string
  /** The build that `sandbox` loads; default: this repository's. */
  readonly dist?: string
  readonly slots?: number
  /** Command-line flags for Node. */
  readonly flags?: readonly string[]
  /** Additional arguments for the suite's `open`. */
  readonly setup?: Readonly<Record<string, unknown>>
  /** A child that holds more is killed. Watched from the parent, because the child's own timers stop when it matters. Linux only. */
  readonly maxRssBytes?: number
}

const RSS_LOOK_MS = 100
const PAGE_BYTES = 4096

/** `suite` names a file in suites/, or is the URL of another file. */
export class Child<Input, Output> {
  readonly #suite: string
  readonly #options: ChildOptions
  #running: Promise<Running> | undefined
  #output = ''

  constructor(suite: string, options: ChildOptions = {}) {
    this.#suite = suite
    this.#options = options
  }

  /** Runs one case; a child that does not answer within `deadlineMs` is killed. */
  async run(input: Input, deadlineMs = 45_000): Promise<CaseResult<Output>> {
    this.#running ??= this.#start()
    const { process: child, stderr } = await this.#running
    return new Promise((resolve) => {
      const settle = (result: CaseResult<Output>) => {
        clearTimeout(timer)
        clearInterval(watch)
        child.removeAllListeners('message')
        child.removeAllListeners('exit')
        if (result.kind !== 'done') {
          this.#running = undefined
          child.kill('SIGKILL')
        }
        resolve(result)
      }
      const timer = setTimeout(() => settle({ kind: 'hung', stderr: stderr() }), deadlineMs)
      const { maxRssBytes = Number.POSITIVE_INFINITY } = this.#options
      const watch = setInterval(() => {
        const rssBytes = rssOf(child)
        if (rssBytes > maxRssBytes) settle({ kind: 'bloated', rssBytes })
      }, RSS_LOOK_MS)
      child.once('exit', (code, signal) => settle({ kind: 'died', status: signal ?? code, stderr: stderr() }))
      child.once('message', (message) => {
        const { output, state } = message as { output: Output; state: ProcessState }
        settle({ kind: 'done', output, state })
      })
      child.send(input as object)
    })
  }

  /** Output of all its processes so far: at most the last million characters. */
  get output(): string {
    return this.#output
  }

  #keep(chunk: string): void {
    this.#output = (this.#output + chunk).slice(-1_000_000)
  }

  async close(): Promise<void> {
    const running = await this.#running
    this.#running = undefined
    if (running === undefined) return
    const { process: child } = running
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exited
  }

  async #start(): Promise<Running> {
    const { canary = '', dist = DIST, slots = 4, flags = [], setup: more = {} } = this.#options
    const setup = { canary, dist, slots, cacheDir: inject('cacheDir'), ...more }
    const child = fork(RUNNER, [this.#suite, JSON.stringify(setup)], {
      execArgv: [...flags],
      env: { ...process.env, BRUMATE_CANARY: canary },
      serialization: 'advanced',
      stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    })
    child.stdin?.on('error', () => {})
    child.stdin?.write(`${canary}\n`.repeat(20))
    let text = ''
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-4000)
      this.#keep(chunk)
    })
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => this.#keep(chunk))
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve())
      child.once('exit', (code) => reject(new Error(`the child ended with ${code}: ${text}`)))
    })
    child.removeAllListeners('exit')
    return { process: child, stderr: () => text }
  }
}

function rssOf(child: ChildProcess): number {
  try {
    return Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES
  } catch {
    // Not Linux, or the child has just ended.
    return 0
  }
}

interface Running {
  readonly process: ChildProcess
  readonly stderr: () => string
}
