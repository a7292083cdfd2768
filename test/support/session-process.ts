// Runs Node programs that use brumate in a separate process, as `node --input-type=module -e <code>`. Owns the child process; the test
// judges its results.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { inject, onTestFinished } from 'vitest'

const entry = new URL('../../dist/src/index.js', import.meta.url).href
const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export class Program {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  readonly #ended: Promise<Ended>
  #stdout = ''
  #stderr = ''
  #heard: () => void = () => {}

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
      this.#heard()
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (code, signal) => {
        this.#heard()
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr })
      })
    })
  }

  get ended(): Promise<Ended> {
    return this.#ended
  }

  /** Waits until the program has printed the line. */
  async printed(line: string): Promise<void> {
    while (!this.#stdout.split('\n').includes(line)) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`the program ended without printing ${line}: ${this.#stderr}`)
      }
      await new Promise<void>((resolve) => {
        this.#heard = resolve
      })
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}

/**
 * Starts a program. `SessionManager`, `VfsStorage` and the manager options `options` are defined in it. It is killed when the test ends.
 *
 * @param flags command-line flags for Node
 */
export function startProgram(code: string, flags: readonly string[] = []): Program {
  const prelude = [
    `import { SessionManager, VfsStorage } from ${JSON.stringify(entry)}`,
    `const options = { cacheDir: ${JSON.stringify(inject('cacheDir'))}, slots: 8 }`,
  ]
  const program = new Program([...flags, '--input-type=module', '-e', [...prelude, code].join('\n')])
  onTestFinished(() => program.kill('SIGKILL'))
  return program
}

/** Runs a program to its end. */
export function runProgram(code: string, flags: readonly string[] = []): Promise<Ended> {
  return startProgram(code, flags).ended
}
