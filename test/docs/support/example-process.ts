// The process in which examples of the documentation run. Owns the process and the exchange with it.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface ExampleOutput {
  readonly stdout: string
  readonly stderr: string
  /** The error that ended the example. */
  readonly failure?: string
}

export class ExampleProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown[]>
  /** The working directory, to which examples write files and stores. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'brumate-examples-'))

  /** @param cacheHome where images are cached, as XDG_CACHE_HOME */
  constructor(cacheHome: string) {
    this.#child = fork(fileURLToPath(new URL('run-examples.mjs', import.meta.url)), {
      cwd: this.#folder,
      execArgv: ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning'],
      env: { ...process.env, XDG_CACHE_HOME: cacheHome },
    })
    this.#exited = once(this.#child, 'exit')
  }

  async run(name: string, code: string): Promise<ExampleOutput> {
    const answered = once(this.#child, 'message')
    this.#child.send({ name, code })
    const ended = this.#exited.then(([exitCode, signal]) => {
      throw new Error(`${name} ended the process: ${exitCode ?? signal}`)
    })
    const [output] = await Promise.race([answered, ended])
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
