// eryx: CPython in WebAssembly on wasmtime, as a Python package. It runs in its own Python process, as in a server that uses it; that
// process (eryx-driver.py) measures the times. Owns the process and its pipe.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ERYX_PYTHON } from './packages.js'
import { Cannot, type Done, type Peer, type PeerOptions, type Step } from './peer.js'

/** Among the sources, because the build does not copy it. */
const DRIVER = fileURLToPath(new URL('../../../bench/peers/eryx-driver.py', import.meta.url))
const VERSIONS =
  'import importlib.metadata, sys; print(importlib.metadata.version("pyeryx"), sys.version.split()[0])'

export async function openEryx({ wheels }: PeerOptions): Promise<Peer | undefined> {
  if (!existsSync(ERYX_PYTHON)) return undefined
  if (wheels !== undefined) throw new Cannot('PyPI has no wheels of numpy and pandas for its platform (WASI)')
  const driver = new Driver()
  return {
    name: 'eryx',
    call: 'await add(a=1, b=1)',
    files: '/data/',
    mostSessions: 64,
    isCompiledAhead: true,
    firstResult: [ERYX_PYTHON, DRIVER, '--first'],
    version: async () => {
      const [own, host] = (await output(ERYX_PYTHON, '-c', VERSIONS)).split(' ')
      const code = 'import platform; platform.python_version()'
      const [, ran] = await driver.perform([
        { do: 'create', session: 'version' },
        { do: 'execute', session: 'version', code, value: true },
      ])
      return `${own} (CPython ${ran?.value?.replaceAll("'", '')}, in CPython ${host})`
    },
    perform: (steps) => driver.perform(steps),
    close: () => driver.close(),
  }
}

class Driver {
  readonly #child: ChildProcess = spawn(ERYX_PYTHON, [DRIVER], { stdio: ['pipe', 'pipe', 'inherit'] })
  #waiting: { resolve: (done: Done[]) => void; reject: (error: Error) => void } | undefined

  constructor() {
    const { stdout } = this.#child
    if (stdout)
      createInterface({ input: stdout }).on('line', (line) => this.#take()?.resolve(JSON.parse(line)))
    this.#child.on('exit', (code) => this.#take()?.reject(new Error(`eryx's process ended with ${code}`)))
    this.#child.on('error', (error) => this.#take()?.reject(error))
  }

  perform(steps: readonly Step[]): Promise<Done[]> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#child.stdin?.write(`${JSON.stringify(steps)}\n`)
    })
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const exited = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.stdin?.end()
    await exited
  }

  #take() {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting
  }
}

async function output(command: string, ...args: string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  for await (const chunk of child.stdout) text += chunk
  return text.trim()
}
