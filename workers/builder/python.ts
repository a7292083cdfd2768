// Calls the stock interpreter through CPython's C API: runs the builder's own Python, and finds objects such as the kernel's dispatch. Owns
// these calls.
import type { StockExports, StockInterpreter } from './realm.js'

/** The parts of an interpreter that it needs. */
export interface Runner extends Pick<StockInterpreter, 'log'> {
  readonly exports: Pick<
    StockExports,
    | 'memory'
    | 'malloc'
    | 'free'
    | 'PyRun_SimpleString'
    | 'PyImport_ImportModule'
    | 'PyObject_GetAttrString'
    | 'Py_DecRef'
  >
}

export class Python {
  readonly #stock: Runner

  constructor(stock: Runner) {
    this.#stock = stock
  }

  /** Runs statements in a namespace of their own. @throws Error with Python's output if they raise */
  run(source: string): void {
    // PyRun_SimpleString runs in `__main__`, which must not change. So use `exec` with a new dict.
    const statement = `exec(${JSON.stringify(source)}, {'__name__': 'builder'})`
    const { log } = this.#stock
    log.length = 0
    const failed = this.#withText(statement, (text) => this.#stock.exports.PyRun_SimpleString(text)) !== 0
    if (failed) throw new Error(`Python failed while the image was built:\n${log.join('\n')}`)
  }

  /** Address of `module.name`. The reference is never released, because the image needs it. */
  attribute(module: string, name: string): number {
    const { exports } = this.#stock
    const owner = this.#withText(module, (text) => exports.PyImport_ImportModule(text))
    const value =
      owner === 0 ? 0 : this.#withText(name, (text) => exports.PyObject_GetAttrString(owner, text))
    if (value === 0) throw new Error(`there is no ${module}.${name}`)
    exports.Py_DecRef(owner)
    return value >>> 0
  }

  #withText<T>(text: string, use: (pointer: number) => T): T {
    const { exports } = this.#stock
    const bytes = new TextEncoder().encode(`${text}\0`)
    const pointer = exports.malloc(bytes.length) >>> 0
    new Uint8Array(exports.memory.buffer).set(bytes, pointer)
    try {
      return use(pointer)
    } finally {
      exports.free(pointer)
    }
  }
}
