// A process of a run, with a manager of its own. Owns starting it, telling it to begin, and reading its output line by line.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { pause } from './say.js'

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

export class Child {
  readonly ended: Promise<Ended>
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #lines: (line: string) => void
  readonly #ready: Promise<void>

  /**
   * @param program a compiled module of this folder
   * @param onLine called with each complete line that the process has written, even if it has been killed since
   */
  constructor(program: string, options: object, onLine: (line: string) => void) {
    this.#lines = onLine
    const path = fileURLToPath(new URL(program, import.meta.url))
    this.#process = spawn(process.execPath, [...process.execArgv, path, JSON.stringify(options)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    // A killed process does not read its stdin any more.
    this.#process.stdin.on('error', () => {})
    let stderr = ''
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-4000)
    })
    this.ended = new Promise((resolve, reject) => {
      this.#process.once('error', reject)
      this.#process.once('close', (code, signal) => resolve({ code, signal, stderr }))
    })
    this.#ready = this.#read()
  }

  /** Resolves when the process has a manager and waits for `begin`. */
  async ready(): Promise<void> {
    const ended = this.ended.then(({ code, signal, stderr }) => {
      throw new Error(`a process ended before it began (${code ?? signal}):\n${stderr}`)
    })
    await Promise.race([this.#ready, ended])
  }

  begin(): void {
    this.#process.stdin.write('begin\n')
  }

  /** Suspends the process, like a suspended machine: after this time it continues, with everything that it had. */
  async freeze(ms: number): Promise<void> {
    this.#process.kill('SIGSTOP')
    await pause(ms)
    this.#process.kill('SIGCONT')
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  #read(): Promise<void> {
    return new Promise((resolve) => {
      let rest = ''
      this.#process.stdout.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) line === 'ready' ? resolve() : this.#lines(line)
      })
    })
  }
}
