// What one has without snapshots: `pickle` over the globals of a plain Pyodide, each by itself, into bytes that another
// interpreter reads. Owns the Python of it. There is no cloudpickle: functions and classes are saved as names of a module.
import { PlainPyodide } from './pyodide.js'

/** Defines `_save()`, which returns bytes, and `_load(data)`, which returns the names that did not come. */
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

  /** Two interpreters, one of which has run `code`. */
  static async after(code: string): Promise<PickledGlobals> {
    const pickled = new PickledGlobals()
    await Promise.all([pickled.#from.run(PICKLE_CODE), pickled.#to.run(PICKLE_CODE)])
    await pickled.#from.run(`${code}\nNone`)
    return pickled
  }

  get size(): number {
    return this.#bytes.length / 2
  }

  /** To this thread, as text: a snapshot comes that far too. */
  async save(): Promise<void> {
    this.#bytes = (await this.#from.run('_save().hex()')).repr
  }

  /** What was saved, in the other interpreter. Names of what did not come. */
  async load(): Promise<string> {
    return (await this.#to.run(`_load(bytes.fromhex('${this.#bytes}'))`)).repr
  }

  /** The same for large data, which stays where it is: moving it out would be on top. */
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
