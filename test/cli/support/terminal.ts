// Runs a program in a pseudo-terminal made by Python's pty module, since Node has none. Owns typing keys and waiting for output.
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const DRIVER = fileURLToPath(new URL('terminal.py', import.meta.url))

/** Whether this machine can create a pseudo-terminal. */
export const hasTerminals = spawnSync('python3', ['-c', 'import pty']).status === 0

export class Terminal {
  readonly #driver: ChildProcessByStdio<Writable, Readable, null>
  readonly #closed: Promise<unknown[]>
  /** All output so far. */
  shown = ''
  /** Offset in `shown` up to which `until` has read. */
  #read = 0
  #onChange: () => void = () => {}

  constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    this.#driver = spawn('python3', [DRIVER, ...command], {
      ...{ stdio: ['pipe', 'pipe', 'inherit'] },
      env: { ...process.env, TERM: 'xterm', NO_COLOR: '1', ...env },
    })
    this.#closed = once(this.#driver, 'close')
    this.#driver.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.shown += chunk
      this.#onChange()
    })
    void this.#closed.then(() => this.#onChange())
  }

  type(keys: string): void {
    this.#driver.stdin.write(keys)
  }

  /** Waits for `text`, and returns the output since the last call up to and including it. */
  async until(text: string): Promise<string> {
    for (;;) {
      const at = this.shown.indexOf(text, this.#read)
      if (at >= 0) {
        const found = this.shown.slice(this.#read, at + text.length)
        this.#read = at + text.length
        return found
      }
      if (this.#driver.exitCode !== null)
        throw new Error(`the program ended before it showed ${JSON.stringify(text)}: ${this.shown}`)
      await new Promise<void>((resolve) => {
        this.#onChange = resolve
      })
    }
  }

  async exitCode(): Promise<unknown> {
    return (await this.#closed)[0]
  }

  kill(): void {
    this.#driver.stdin.end()
  }
}
