// The kernel's Python files inside stock Pyodide, and calls of its functions through C's API. The driver of test/kernel/ owns the
// requests and replies.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PyodideInterface } from 'pyodide'

/** The part of Emscripten's module that is used. */
export interface Emscripten {
  readonly HEAPU8: Uint8Array
  readonly HEAP32: Int32Array
  /** Address of the counter that triggers CPython's next check for a signal. */
  readonly __Py_emscripten_signal_clock: number
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

export interface Written {
  stdout: string
  stderr: string
}

const SITE = '/lib/python3.14/site-packages'
const KERNEL = fileURLToPath(new URL('../../workers/kernel', import.meta.url))

export class StockPython {
  readonly module: Emscripten
  readonly #pyodide: PyodideInterface
  #written: Written = { stdout: '', stderr: '' }

  /** Copies the kernel's files to where Python imports them from, and collects all output from now on. */
  constructor(pyodide: PyodideInterface) {
    this.#pyodide = pyodide
    this.module = (pyodide as unknown as { _module: Emscripten })._module
    for (const name of ['_brumate', 'brumate']) {
      const files = readdirSync(join(KERNEL, name), { recursive: true, encoding: 'utf8' })
      for (const file of files.filter((file) => file.endsWith('.py')))
        this.writeFile(`${SITE}/${name}/${file}`, readFileSync(join(KERNEL, name, file)))
    }
    pyodide.setStdout(this.#collector('stdout'))
    pyodide.setStderr(this.#collector('stderr'))
  }

  /** Writes a file and creates its directories. */
  writeFile(path: string, content: string | Uint8Array): void {
    this.#pyodide.FS.mkdirTree(dirname(path))
    this.#pyodide.FS.writeFile(path, content)
  }

  /** Returns the output since the last call. */
  takeWritten(): Written {
    const written = this.#written
    this.#written = { stdout: '', stderr: '' }
    return written
  }

  /** Address of an attribute of a module. Imports the module. */
  attribute(module: string, name: string): number {
    const owner = this.#withBytes(Buffer.from(`${module}\0`), (text) =>
      this.module._PyImport_ImportModule(text),
    )
    if (owner === 0) throw new Error(`there is no module ${module}`)
    const found = this.#withBytes(Buffer.from(`${name}\0`), (text) =>
      this.module._PyObject_GetAttrString(owner, text),
    )
    if (found === 0) throw new Error(`${module} has no ${name}`)
    return found
  }

  /** @throws Error with the traceback if it raises */
  run(callable: number): void {
    this.#checked(this.module._PyObject_CallNoArgs(callable))
  }

  /**
   * Calls a function that takes bytes and returns bytes.
   *
   * @throws Error with the traceback if it raises
   */
  call(callable: number, argument: Uint8Array): Uint8Array {
    const { module } = this
    const object = this.#withBytes(argument, (pointer) =>
      module._PyBytes_FromStringAndSize(pointer, argument.length),
    )
    const result = module._PyObject_CallOneArg(callable, object)
    module._Py_DecRef(object)
    this.#checked(result)
    const start = module._PyBytes_AsString(result)
    const bytes = module.HEAPU8.slice(start, start + module._PyBytes_Size(result))
    module._Py_DecRef(result)
    return bytes
  }

  #collector(stream: keyof Written) {
    return {
      write: (bytes: Uint8Array) => {
        this.#written[stream] += Buffer.from(bytes).toString()
        return bytes.length
      },
    }
  }

  #checked(result: number): void {
    if (result !== 0) return
    this.module._PyErr_Print()
    throw new Error(`the call raised:\n${this.takeWritten().stderr}`)
  }

  #withBytes<T>(bytes: Uint8Array, use: (pointer: number) => T): T {
    const pointer = this.module._malloc(bytes.length)
    this.module.HEAPU8.set(bytes, pointer)
    const result = use(pointer)
    this.module._free(pointer)
    return result
  }
}
