// Shared by the two baselines without snapshots, plain Pyodide and `python3` over a pipe, which use `pickle` for their globals instead.
// Owns all that they have in common. Each session is a thread or process.
import { open } from 'node:fs/promises'
import { PICKLE_CODE } from '../baselines/pickle.js'
import type { Runner } from '../baselines/runner.js'
import { Cannot, type Done, performHere, type Step } from './peer.js'

export class PickledSessions {
  readonly #start: () => Runner
  readonly #sessions = new Map<string, Runner>()
  /** Runners in which the pickling code has run. */
  readonly #prepared = new Set<Runner>()
  readonly #cellFile: string
  #taken = ''

  constructor(start: () => Runner, cellFile: string) {
    this.#start = start
    this.#cellFile = cellFile
  }

  get runners(): IterableIterator<Runner> {
    return this.#sessions.values()
  }

  perform(steps: readonly Step[], more: Parameters<typeof performHere>[1] = {}): Promise<Done[]> {
    return performHere(
      steps,
      {
        create: async (step) => {
          if (step.for === 'callbacks') throw new Cannot('has no host functions')
          if (step.for === 'deadline') throw new Cannot('has no deadline: ending it loses the session')
          if (step.for === 'checkpoints') throw new Cannot('takes no checkpoints')
          this.#sessions.set(step.session, this.#start())
          // An answer means that it has booted.
          await this.#run(step.session, 'None')
        },
        execute: async (step) => {
          const { repr, stdout } = await this.#run(step.session, step.code)
          return { value: stdout || repr }
        },
        cell: async (step) => {
          await this.#run(step.session, step.code)
          await this.#save(step.session)
          const file = await open(this.#cellFile, 'w')
          await file.writeFile(this.#taken)
          await file.sync()
          await file.close()
        },
        snapshot: async (step) => {
          await this.#save(step.session)
          return { bytes: this.#taken.length / 2 }
        },
        restore: async (step) => {
          await this.#prepare(step.session)
          await this.#run(step.session, `_load(bytes.fromhex('${this.#taken}'))`)
        },
        close: async (step) => {
          await this.#sessions.get(step.session)?.stop()
          this.#sessions.delete(step.session)
        },
        ...more,
      },
      { rest: 'has no form of a session that rests and keeps everything' },
    )
  }

  async close(): Promise<void> {
    await Promise.all([...this.runners].map((runner) => runner.stop()))
  }

  #run(name: string, code: string) {
    const runner = this.#sessions.get(name)
    if (runner === undefined) throw new Error(`no session ${name}`)
    return runner.run(code)
  }

  async #save(name: string): Promise<void> {
    await this.#prepare(name)
    // As text, because a snapshot leaves the interpreter.
    const { repr } = await this.#run(name, '_save().hex()')
    this.#taken = repr.replaceAll("'", '')
  }

  async #prepare(name: string): Promise<void> {
    const runner = this.#sessions.get(name)
    if (runner === undefined || this.#prepared.has(runner)) return
    this.#prepared.add(runner)
    await runner.run(`${PICKLE_CODE}\nNone`)
  }
}
