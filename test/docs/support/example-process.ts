// The process in which examples of the documentation run. Owns the process and the exchange with it.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BRIEF } from '../../support/brief-process.js'

export interface ExampleOutput {
  readonly stdout: string
  readonly stderr: string
  /** The error that ended the example. */
  readonly failure?: string
}

export class ExampleProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown[]>
  #isRunning = false
  /** Has a folder for each example, to which it writes files and stores. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'brumate-examples-'))

  /** @param cacheHome where images are cached, as XDG_CACHE_HOME */
  constructor(cacheHome: string) {
    this.#child = fork(fileURLToPath(new URL('run-examples.mjs', import.meta.url)), {
      cwd: this.#folder,
      execArgv: [...BRIEF, '--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
      env: { ...process.env, XDG_CACHE_HOME: cacheHome },
    })
    this.#exited = once(this.#child, 'exit')
  }

  /** False once an example has ended the process, and while one has not ended, such as one that took longer than its test may. */
  get isFree(): boolean {
    return !this.#isRunning && this.#child.connected
  }

  async run(name: string, code: string): Promise<ExampleOutput> {
    this.#isRunning = true
    const answered = once(this.#child, 'message')
    this.#child.send({ name, code })
    const ended = this.#exited.then(([exitCode, signal]) => {
      throw new Error(`${name} ended the process: ${exitCode ?? signal}`)
    })
    const [output] = await Promise.race([answered, ended])
    this.#isRunning = false
    return output
  }

  /** Resolves with the exit code once the process has ended by itself. */
  async end(): Promise<unknown> {
    if (this.#child.connected) this.#child.disconnect()
    const [exitCode] = await this.#exited
    return exitCode
  }

  /** Also removes the files that the examples wrote. */
  kill(): void {
    this.#child.kill('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
