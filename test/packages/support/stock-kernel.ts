// The kernel inside stock Pyodide, with packages that Pyodide itself loads: what the kernel does to libraries can be tested without an
// image that has them. Owns the boot; replies are read by the library's own code. One per test file: Pyodide has no second one in a realm.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { loadPyodide, type PyodideInterface } from 'pyodide'
import { type Answer, AnswerReader, readResult } from '../../../src/session/outcome.js'
import { encodePlain, encodeValue } from '../../../src/shared/values/encode.js'
import type { Value } from '../../../src/shared/values/value.js'

interface Emscripten {
  readonly HEAPU8: Uint8Array
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

const KERNEL = fileURLToPath(new URL('../../../workers/kernel', import.meta.url))
const SITE = '/lib/python3.14/site-packages'
const HEAD_BYTES = 9

export type Result = ReturnType<typeof readResult>

/** A Python error of a request: `message` is the traceback. */
export class Failed extends Error {
  constructor(readonly answer: Extract<Answer, { ok: false }>) {
    super(answer.failure.traceback)
  }
}

export class StockKernel {
  readonly #module: Emscripten
  #dispatch = 0
  #count = 0
  /** What was written since the last look. */
  output = { stdout: '', stderr: '' }

  private constructor(pyodide: PyodideInterface) {
    this.#module = (pyodide as unknown as { _module: Emscripten })._module
  }

  /**
   * @param wheels paths of wheels
   * @param files further modules, by path below site-packages
   */
  static async boot(
    wheels: readonly string[],
    files: Readonly<Record<string, string>> = {},
  ): Promise<StockKernel> {
    const cache = mkdtempSync(join(tmpdir(), 'brumate-wheels-'))
    const pyodide = await loadPyodide({ packageCacheDir: cache })
    try {
      const urls = wheels.map((path) => pathToFileURL(path).href)
      await pyodide.loadPackage(urls, { checkIntegrity: false, messageCallback: () => {} })
    } finally {
      rmSync(cache, { recursive: true })
    }
    const write = (path: string, content: string | Uint8Array) => {
      pyodide.FS.mkdirTree(dirname(path))
      pyodide.FS.writeFile(path, content)
    }
    for (const name of ['_brumate', 'brumate']) {
      for (const file of readdirSync(join(KERNEL, name), { recursive: true, encoding: 'utf8' }))
        if (file.endsWith('.py')) write(`${SITE}/${name}/${file}`, readFileSync(join(KERNEL, name, file)))
    }
    for (const [path, content] of Object.entries(files)) write(`${SITE}/${path}`, content)
    const kernel = new StockKernel(pyodide)
    const collect = (stream: 'stdout' | 'stderr') => ({
      write: (bytes: Uint8Array) => {
        kernel.output[stream] += Buffer.from(bytes).toString()
        return bytes.length
      },
    })
    pyodide.setStdout(collect('stdout'))
    pyodide.setStderr(collect('stderr'))
    pyodide.runPython('import _brumate')
    kernel.#call(kernel.#attribute('_brumate', 'prepare'))
    kernel.#call(kernel.#attribute('_brumate.patches', 'allow_ctypes'))
    kernel.#dispatch = kernel.#attribute('_brumate.link', 'dispatch')
    kernel.attach()
    return kernel
  }

  attach(displayBytes: number | null = null): void {
    this.#request(
      Buffer.concat([Buffer.of(7), encodePlain({ env: {}, callbacks: [], displayBytes }, 'session')]),
    )
  }

  /** As after a thaw in another slot. */
  restored(): void {
    this.#request(
      Buffer.concat([Buffer.of(10), encodePlain({ env: {}, callbacks: [], displayBytes: null }, 'session')]),
    )
  }

  clear(): void {
    this.#request(Buffer.of(6))
  }

  /** Runs code to its end. @throws Failed */
  execute(code: string): Result {
    const head = Buffer.from([1, 0, 0, 0, 0, 0])
    head.writeUInt32LE(++this.#count, 1)
    const { items, exact } = this.#request(Buffer.concat([head, Buffer.from(dedent(code))]))
    return readResult(items, exact)
  }

  value(code: string): unknown {
    return this.execute(code).value
  }

  get(name: string): unknown {
    return this.#request(Buffer.concat([Buffer.of(4), Buffer.from(name)])).items[0]
  }

  set(name: string, value: Value): void {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(Buffer.byteLength(name))
    this.#request(Buffer.concat([Buffer.of(5), length, Buffer.from(name), encodeValue(value, name)]))
  }

  /** What was written since the last look. */
  written(): { stdout: string; stderr: string } {
    const { output } = this
    this.output = { stdout: '', stderr: '' }
    return output
  }

  #request(request: Uint8Array): Extract<Answer, { ok: true }> {
    const module = this.#module
    const at = module._malloc(request.length)
    module.HEAPU8.set(request, at)
    const argument = module._PyBytes_FromStringAndSize(at, request.length)
    module._free(at)
    const reply = module._PyObject_CallOneArg(this.#dispatch, argument)
    module._Py_DecRef(argument)
    if (reply === 0) throw new Error('the kernel raised')
    const start = module._PyBytes_AsString(reply)
    const bytes = module.HEAPU8.slice(start, start + module._PyBytes_Size(reply))
    module._Py_DecRef(reply)
    if (bytes[0] !== 0) throw new Error('the execution waits')
    const reader = new AnswerReader(bytes.slice(HEAD_BYTES))
    reader.advance(Number.POSITIVE_INFINITY)
    const { answer } = reader
    if (!answer.ok) throw new Failed(answer)
    return answer
  }

  #attribute(module: string, name: string): number {
    const imported = this.#withText(module, (text) => this.#module._PyImport_ImportModule(text))
    return this.#withText(name, (text) => this.#module._PyObject_GetAttrString(imported, text))
  }

  #call(callable: number): void {
    if (this.#module._PyObject_CallNoArgs(callable) !== 0) return
    this.#module._PyErr_Print()
    throw new Error(`a call failed: ${this.output.stderr}`)
  }

  #withText(text: string, use: (pointer: number) => number): number {
    const bytes = Buffer.from(`${text}\0`)
    const pointer = this.#module._malloc(bytes.length)
    this.#module.HEAPU8.set(bytes, pointer)
    const result = use(pointer)
    this.#module._free(pointer)
    if (result === 0) throw new Error(`there is no ${text}`)
    return result
  }
}

/** Without the indentation of the test around it. */
function dedent(code: string): string {
  const lines = code.split('\n').filter((line) => line.trim() !== '')
  const indent = Math.min(...lines.map((line) => line.length - line.trimStart().length))
  return Number.isFinite(indent)
    ? code
        .split('\n')
        .map((line) => line.slice(indent))
        .join('\n')
    : code
}
