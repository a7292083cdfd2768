// The parent's side of run-case.mjs: a child process that is started when first needed, and again after a case took it
// down. That it died, or did not answer in time, is a result like any other.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'

const RUNNER = fileURLToPath(new URL('run-case.mjs', import.meta.url))
export const DIST = new URL('../../../dist/', import.meta.url).href

/** What a case did to its process. */
export interface ProcessState {
  readonly durationMs: number
  readonly uncaught: readonly string[]
  readonly polluted: readonly string[]
  /** Longest stall of the event loop. */
  readonly delayMs: number
  /** The most resident memory that was seen while it ran. */
  readonly peakRssBytes: number
  readonly newResources: number
}

export type CaseResult<Output> =
  | { readonly kind: 'done'; readonly output: Output; readonly state: ProcessState }
  | { readonly kind: 'died'; readonly status: number | string | null; readonly stderr: string }
  | { readonly kind: 'hung'; readonly stderr: string }

export interface ChildOptions {
  readonly canary?: string
  /** Where `sandbox` finds brumate; default: the build. */
  readonly dist?: string
  readonly slots?: number
  /** Flags of Node. */
  readonly flags?: readonly string[]
}

export class Child<Input, Output> {
  readonly #suite: string
  readonly #options: ChildOptions
  #running: Promise<Running> | undefined

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
        child.removeAllListeners('message')
        child.removeAllListeners('exit')
        if (result.kind !== 'done') {
          this.#running = undefined
          child.kill('SIGKILL')
        }
        resolve(result)
      }
      const timer = setTimeout(() => settle({ kind: 'hung', stderr: stderr() }), deadlineMs)
      child.once('exit', (code, signal) => settle({ kind: 'died', status: signal ?? code, stderr: stderr() }))
      child.once('message', (message) => {
        const { output, state } = message as { output: Output; state: ProcessState }
        settle({ kind: 'done', output, state })
      })
      child.send(input as object)
    })
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
    const { canary = '', dist = DIST, slots = 4, flags = [] } = this.#options
    const setup = { canary, dist, slots, cacheDir: inject('cacheDir') }
    const child = fork(RUNNER, [this.#suite, JSON.stringify(setup)], {
      execArgv: [...flags],
      env: { ...process.env, BRUMATE_CANARY: canary },
      serialization: 'advanced',
      stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
    })
    child.stdin?.on('error', () => {})
    child.stdin?.write(`${canary}\n`.repeat(20))
    let text = ''
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-4000)
    })
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve())
      child.once('exit', (code) => reject(new Error(`the child ended with ${code}: ${text}`)))
    })
    child.removeAllListeners('exit')
    return { process: child, stderr: () => text }
  }
}

interface Running {
  readonly process: ChildProcess
  readonly stderr: () => string
}
