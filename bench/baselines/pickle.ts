// The alternative without snapshots: `pickle` for each global of a plain Pyodide, into bytes that another interpreter reads. Owns
// the Python code for it. There is no cloudpickle: functions and classes are saved as names in a module.
import { PlainPyodide } from './pyodide.js'

/** Defines `_save()`, which returns bytes, and `_load(data)`, which returns the names that were lost. */
export const PICKLE_CODE = `
import pickle as _pickle

def _save():
    saved, lost = {}, []
    for name, value in list(globals().items()):
        if not name.startswith('_'):
            try:
                saved[name] = _pickle.dumps(value)
            except Exception:
                lost.append(name)
    return _pickle.dumps((saved, lost))

def _load(data):
    saved, lost = _pickle.loads(data)
    for name, pickled in saved.items():
        try:
            globals()[name] = _pickle.loads(pickled)
        except Exception:
            lost.append(name)
    return ', '.join(sorted(lost))
`

export class PickledGlobals {
  readonly #from = new PlainPyodide()
  readonly #to = new PlainPyodide()
  #bytes = ''

  /** Starts two interpreters, and runs `code` in one of them. */
  static async after(code: string): Promise<PickledGlobals> {
    const pickled = new PickledGlobals()
    await Promise.all([pickled.#from.run(PICKLE_CODE), pickled.#to.run(PICKLE_CODE)])
    await pickled.#from.run(`${code}\nNone`)
    return pickled
  }

  get size(): number {
    return this.#bytes.length / 2
  }

  /** Saves the globals as text on this thread, because a snapshot gets that far, too. */
  async save(): Promise<void> {
    this.#bytes = (await this.#from.run('_save().hex()')).repr
  }

  /** Loads the saved globals in the other interpreter. Resolves to the names that were lost. */
  async load(): Promise<string> {
    return (await this.#to.run(`_load(bytes.fromhex('${this.#bytes}'))`)).repr
  }

  /** Saves large data inside the interpreter, without the cost of moving it out. */
  async saveInPlace(): Promise<void> {
    await this.#from.run('_data = None\n_data = _save()\nNone')
  }

  async loadInPlace(): Promise<void> {
    await this.#from.run('_load(_data)\nNone')
  }

  async run(code: string): Promise<void> {
    await this.#from.run(code)
  }

  async stop(): Promise<void> {
    await Promise.all([this.#from.stop(), this.#to.stop()])
  }
}
