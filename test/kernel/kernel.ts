// Drives the kernel as the host does, request by request, inside stock Pyodide. Owns the boot and the wire; a reply
// comes back as JSON made by driver.py. One interpreter per test file: Pyodide has no second one in a realm.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadPyodide, type PyodideInterface } from 'pyodide'

export interface HostCall {
  readonly id: number
  readonly name: string
  /** repr() of the keyword arguments. */
  readonly arguments: string
}

/** `value` is repr() of the converted value, null for none. A failure has `type`, `message` and `traceback`. */
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
  /** repr() of the decoded map; what msgpack lacks shows as {0: kind, 1: payload}. */
  readonly values: string
  readonly bytes: { readonly description: number; readonly values: number }
}

interface Emscripten {
  HEAPU8: Uint8Array
  HEAP32: Int32Array
  /** Address of the count of checks until CPython asks for a signal again. */
  __Py_emscripten_signal_clock: number
  _malloc(bytes: number): number
  _free(pointer: number): void
  _PyImport_ImportModule(name: number): number
  _PyObject_GetAttrString(object: number, name: number): number
  _PyObject_CallNoArgs(callable: number): number
  _PyObject_CallOneArg(callable: number, argument: number): number
  _PyBytes_FromStringAndSize(pointer: number, bytes: number): number
  _PyBytes_AsString(object: number): number
  _PyBytes_Size(object: number): number
  _PyErr_Print(): void
  _Py_DecRef(object: number): void
}

const KERNEL = fileURLToPath(new URL('../../workers/kernel', import.meta.url))
/** CPython counts down from this between two questions for signals. */
const CHECKS_PER_QUESTION = 50
const SITE = '/lib/python3.14/site-packages'

// Under the name of a frozen module the driver is no user code, so an interrupt that arrives in it is put off.
const LOAD_DRIVER = `
import sys, types, _brumate
sys.modules['driver'] = driver = types.ModuleType('driver')
exec(compile(open('/tmp/driver.py').read(), '<frozen driver>', 'exec'), driver.__dict__)
`

export class Kernel {
  readonly #pyodide: PyodideInterface
  readonly #module: Emscripten
  readonly #run: number
  #count = 0
  /** What was written to file descriptors 1 and 2 since the last look. */
  #output = { stdout: '', stderr: '' }

  private constructor(pyodide: PyodideInterface, output: { stdout: string; stderr: string }) {
    this.#pyodide = pyodide
    this.#module = (pyodide as unknown as { _module: Emscripten })._module
    this.#output = output
    this.#run = this.#attribute('driver', 'run')
  }

  static async boot(): Promise<Kernel> {
    const pyodide = await loadPyodide()
    for (const name of ['_brumate', 'brumate']) {
      pyodide.FS.mkdirTree(`${SITE}/${name}`)
      const files = readdirSync(join(KERNEL, name), { recursive: true, encoding: 'utf8' })
      for (const file of files.filter((file) => file.endsWith('.py'))) {
        pyodide.FS.mkdirTree(dirname(`${SITE}/${name}/${file}`))
        pyodide.FS.writeFile(`${SITE}/${name}/${file}`, readFileSync(join(KERNEL, name, file)))
      }
    }
    pyodide.FS.writeFile('/tmp/driver.py', readFileSync(new URL('driver.py', import.meta.url)))
    const output = { stdout: '', stderr: '' }
    const collect = (stream: 'stdout' | 'stderr') => ({
      write: (bytes: Uint8Array) => {
        output[stream] += Buffer.from(bytes).toString()
        return bytes.length
      },
    })
    pyodide.setStdout(collect('stdout'))
    pyodide.setStderr(collect('stderr'))
    pyodide.setStdin({ stdin: () => null })
    pyodide.runPython(LOAD_DRIVER)
    const kernel = new Kernel(pyodide, output)
    kernel.#call(kernel.#attribute('_brumate', 'prepare'))
    kernel.#take()
    return kernel
  }

  /** Runs code until its outcome. */
  execute(code: string): Reply {
    return this.finish(this.start(code))
  }

  /** The value of the last expression, as repr(); fails with the traceback when the code does. */
  value(code: string): string | null {
    const reply = this.execute(code)
    if (!reply.ok) throw new Error(reply.traceback)
    return reply.value
  }

  /** Runs code until its outcome or until it awaits. */
  start(code: string): Reply {
    this.#count++
    return this.send({ op: 'execute', count: this.#count, code })
  }

  /** Steps an awaiting execution through its timers until it is done, or awaits something else. */
  finish(reply: Reply): Reply {
    let last = reply
    while (last.waiting && last.delay !== null) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, last.delay * 1000)
      last = this.send({ op: 'step' })
    }
    return last
  }

  send(request: object): Reply {
    return JSON.parse(this.#call(this.#run, JSON.stringify(request))) as Reply
  }

  /** Asks for the description that goes into a snapshot. `traps` are builtins that fail meanwhile. */
  describe(maxValueBytes = 1024 * 1024, traps: readonly string[] = []): Described {
    const request = { op: 'describe', maxValueBytes, traps }
    const reply = JSON.parse(this.#call(this.#run, JSON.stringify(request)))
    if (reply.description === undefined) throw new Error(reply.traceback)
    return reply as Described
  }

  get executionCount(): number {
    return this.#count
  }

  /** What was written since the last call of this. */
  output(): { stdout: string; stderr: string } {
    return this.#take()
  }

  /**
   * Delivers one SIGINT, after that many of the places where CPython looks for signals (function entries, loop ends,
   * calls). The returned function ends this and tells whether it was delivered.
   */
  interruptAfter(checks: number): () => boolean {
    const m = this.#module
    const clock = m.__Py_emscripten_signal_clock >> 2
    let left = Math.floor(checks / CHECKS_PER_QUESTION)
    let delivered = false
    m.HEAP32[clock] = checks % CHECKS_PER_QUESTION
    // Pyodide reads element 0 when CPython asks, and writes 0 back. Some C functions ask too, without a count.
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

  #take() {
    const taken = { ...this.#output }
    this.#output.stdout = this.#output.stderr = ''
    return taken
  }

  #attribute(module: string, name: string): number {
    const owner = this.#withText(module, (text) => this.#module._PyImport_ImportModule(text))
    return this.#withText(name, (text) => this.#module._PyObject_GetAttrString(owner, text))
  }

  #call(callable: number, argument?: string): string {
    const m = this.#module
    const bytes = Buffer.from(argument ?? '')
    const result =
      argument === undefined
        ? m._PyObject_CallNoArgs(callable)
        : this.#withText(argument, (text) => {
            const object = m._PyBytes_FromStringAndSize(text, bytes.length)
            const result = m._PyObject_CallOneArg(callable, object)
            m._Py_DecRef(object)
            return result
          })
    if (result === 0) {
      m._PyErr_Print()
      throw new Error(`the call raised:\n${this.#take().stderr}`)
    }
    if (argument === undefined) return ''
    const start = m._PyBytes_AsString(result)
    const text = Buffer.from(m.HEAPU8.slice(start, start + m._PyBytes_Size(result))).toString()
    m._Py_DecRef(result)
    return text
  }

  #withText<T>(text: string, use: (pointer: number) => T): T {
    const bytes = Buffer.from(`${text}\0`)
    const pointer = this.#module._malloc(bytes.length)
    this.#module.HEAPU8.set(bytes, pointer)
    try {
      return use(pointer)
    } finally {
      this.#module._free(pointer)
    }
  }
}
