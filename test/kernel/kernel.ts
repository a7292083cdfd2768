// Drives the kernel as the host does, request by request, in stock Pyodide. Owns the boot and the requests; driver.py returns replies
// as JSON. All tests of a file share one interpreter, because a realm can have only one Pyodide.
import { readFileSync } from 'node:fs'
import { loadPyodide, type PyodideInterface } from 'pyodide'
import { StockPython, type Written } from '../support/stock-python.js'

export interface HostCall {
  readonly id: number
  readonly name: string
  /** repr() of the keyword arguments. */
  readonly arguments: string
}

/** `value` is the repr() of the converted value, or null if there is none. A failure has `type`, `message` and `traceback`. */
export interface Reply {
  readonly waiting: boolean
  readonly ok: boolean
  readonly delay: number | null
  readonly calls: readonly HostCall[]
  readonly repr: string | null
  readonly value: string | null
  readonly display: Readonly<Record<string, string>>
  readonly type: string
  readonly message: string
  readonly traceback: string
}

export interface DescribedGlobal {
  readonly name: string
  readonly type: string
  readonly repr: string
  readonly sizeBytes: number
}

/** Reply of a DESCRIBE request. */
export interface Described {
  readonly description: {
    readonly globals: readonly DescribedGlobal[]
    readonly pending: readonly { readonly id: number; readonly name: string; readonly args: unknown }[]
    readonly skipped: readonly string[]
    readonly omitted: { readonly globals: number; readonly pending: number }
    readonly awaiting: boolean
  }
  /** repr() of the decoded map. Values that msgpack lacks appear as {0: kind, 1: payload}. */
  readonly values: string
  readonly bytes: { readonly description: number; readonly values: number }
}

/** CPython counts down from this between two checks for signals. */
const CHECKS_PER_QUESTION = 50

// The name of a frozen module marks the driver as not user code, so an interrupt that arrives in it is deferred.
const LOAD_DRIVER = `
import sys, types, _brumate
sys.modules['driver'] = driver = types.ModuleType('driver')
exec(compile(open('/tmp/driver.py').read(), '<frozen driver>', 'exec'), driver.__dict__)
`

export class Kernel {
  readonly #pyodide: PyodideInterface
  readonly #python: StockPython
  readonly #run: number
  #count = 0

  static #shared: Promise<Kernel> | undefined

  private constructor(pyodide: PyodideInterface, python: StockPython) {
    this.#pyodide = pyodide
    this.#python = python
    this.#run = python.attribute('driver', 'run')
  }

  /** The kernel of this thread, booted on first use. A test must clear what the previous one left in it. */
  static shared(): Promise<Kernel> {
    Kernel.#shared ??= Kernel.#boot()
    return Kernel.#shared
  }

  static async #boot(): Promise<Kernel> {
    const pyodide = await loadPyodide()
    const python = new StockPython(pyodide)
    python.writeFile('/tmp/driver.py', readFileSync(new URL('driver.py', import.meta.url)))
    pyodide.setStdin({ stdin: () => null })
    pyodide.runPython(LOAD_DRIVER)
    const kernel = new Kernel(pyodide, python)
    python.run(python.attribute('_brumate', 'prepare'))
    // As in an image: collections, two for each `clear`, then look only at what tests make.
    python.run(python.attribute('gc', 'freeze'))
    python.takeWritten()
    return kernel
  }

  /** Runs code to its end. */
  execute(code: string): Reply {
    return this.finish(this.start(code))
  }

  /** Returns repr() of the last expression's value. @throws Error with the traceback if the code fails */
  value(code: string): string | null {
    const reply = this.execute(code)
    if (!reply.ok) throw new Error(reply.traceback)
    return reply.value
  }

  /** Runs code to its end or until it awaits. */
  start(code: string): Reply {
    this.#count++
    return this.send({ op: 'execute', count: this.#count, code })
  }

  /** Steps an awaiting execution through its timers until it ends or awaits something else. */
  finish(reply: Reply): Reply {
    let last = reply
    while (last.waiting && last.delay !== null) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, last.delay * 1000)
      last = this.send({ op: 'step' })
    }
    return last
  }

  send(request: object): Reply {
    return this.#request(request)
  }

  /** Requests the description that goes into a snapshot. `traps` are builtins that fail meanwhile. */
  describe(maxValueBytes = 1024 * 1024, traps: readonly string[] = []): Described {
    const request = { op: 'describe', maxValueBytes, traps }
    const reply = this.#request(request)
    if (reply.description === undefined) throw new Error(reply.traceback)
    return reply as Described
  }

  get executionCount(): number {
    return this.#count
  }

  /** Returns the output written since the last call. */
  output(): Written {
    return this.#python.takeWritten()
  }

  /**
   * Delivers one SIGINT after `checks` of the places where CPython checks for signals (function entries, loop ends, calls).
   * The returned function stops this and returns whether the signal was delivered.
   */
  interruptAfter(checks: number): () => boolean {
    const m = this.#python.module
    const clock = m.__Py_emscripten_signal_clock >> 2
    let left = Math.floor(checks / CHECKS_PER_QUESTION)
    let delivered = false
    m.HEAP32[clock] = checks % CHECKS_PER_QUESTION
    // Pyodide reads element 0 when CPython checks, and writes 0 back. Some C functions check too, without counting down.
    this.#pyodide.setInterruptBuffer({
      get 0() {
        if (delivered || m.HEAP32[clock] !== CHECKS_PER_QUESTION) return 0
        if (left-- > 0) return 0
        delivered = true
        return 2
      },
      set 0(_: number) {},
    } as unknown as Uint8Array)
    return () => {
      this.#pyodide.setInterruptBuffer(undefined as unknown as Uint8Array)
      return delivered
    }
  }

  #request(request: object) {
    const reply = this.#python.call(this.#run, Buffer.from(JSON.stringify(request)))
    return JSON.parse(Buffer.from(reply).toString())
  }
}
