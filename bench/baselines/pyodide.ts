// Plain Pyodide as one would use it for a session: `loadPyodide()` in its own worker thread, with code as messages. The first
// baseline of every figure. Owns the thread; pyodide-worker.ts runs in it.
import { Worker } from 'node:worker_threads'
import type { PackageWheels } from './pyodide-packages.js'
import type { Ran, Runner } from './runner.js'

export class PlainPyodide implements Runner {
  readonly #worker: Worker
  #pending: { resolve: (ran: Ran) => void; reject: (error: Error) => void } | undefined

  /**
   * Starts the thread. The first `run` waits until Pyodide is loaded.
   *
   * @param packages - packages to load first, from their directory
   */
  constructor(packages?: PackageWheels) {
    this.#worker = new Worker(new URL('./pyodide-worker.js', import.meta.url), { workerData: packages })
    this.#worker.on('message', ({ error, ...ran }: Ran & { readonly error?: string }) => {
      const pending = this.#pending
      this.#pending = undefined
      if (error === undefined) pending?.resolve(ran)
      else pending?.reject(new Error(error))
    })
    this.#worker.on('error', (error: Error) => this.#pending?.reject(error))
  }

  run(code: string): Promise<Ran> {
    if (this.#pending) return Promise.reject(new Error('one run at a time'))
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject }
      this.#worker.postMessage(code)
    })
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}
