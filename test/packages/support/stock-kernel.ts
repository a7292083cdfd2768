// Runs the kernel in stock Pyodide with packages that Pyodide loads, to test what the kernel does to libraries without an image that has
// them. Owns the boot; brumate's own code reads the replies. Only one per test file, because a realm can have only one Pyodide.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadPyodide } from 'pyodide'
import { DisplayList } from '../../../src/session/displays.js'
import { type Answer, AnswerReader, readResult } from '../../../src/session/outcome.js'
import type { Display } from '../../../src/shared/display.js'
import { decode } from '../../../src/shared/values/document.js'
import { encodePlain, encodeValue } from '../../../src/shared/values/encode.js'
import type { Value } from '../../../src/shared/values/value.js'
import { SITE, StockPython, type Written } from '../../support/stock-python.js'

const HEAD_BYTES = 9

export type Result = ReturnType<typeof readResult> & { readonly displays: readonly Display[] }

/** Collects displays in a list, because stock Pyodide has no descriptor for them. */
const KEEP_DISPLAYS = `
def install():
    # The kernel clears globals.
    import marshal, _brumate.displays as displays
    shown = []
    displays.write = lambda descriptor, message: shown.append(message)
    def take(request):
        taken = marshal.dumps(shown, 2)
        shown.clear()
        return taken
    displays.take = take
install()
`

/** A Python error of a request: `message` is the traceback. */
export class Failed extends Error {
  constructor(readonly answer: Extract<Answer, { ok: false }>) {
    super(answer.failure.traceback)
  }
}

export class StockKernel {
  readonly #python: StockPython
  readonly #dispatch: number
  #count = 0

  private constructor(python: StockPython) {
    this.#python = python
    python.run(python.attribute('_brumate', 'prepare'))
    python.run(python.attribute('_brumate.patches', 'allow_ctypes'))
    this.#dispatch = python.attribute('_brumate.link', 'dispatch')
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
    const python = new StockPython(pyodide)
    for (const [path, content] of Object.entries(files)) python.writeFile(`${SITE}/${path}`, content)
    pyodide.runPython('import _brumate')
    pyodide.runPython(KEEP_DISPLAYS)
    const kernel = new StockKernel(python)
    kernel.attach()
    return kernel
  }

  attach(resultBytes: number | null = null): void {
    this.#request(
      Buffer.concat([Buffer.of(7), encodePlain({ env: {}, callbacks: [], resultBytes }, 'session')]),
    )
  }

  /** Does what follows a restore in another slot. */
  restored(): void {
    this.#request(
      Buffer.concat([Buffer.of(10), encodePlain({ env: {}, callbacks: [], resultBytes: null }, 'session')]),
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
    const list = new DisplayList()
    const taken = this.#python.call(this.#python.attribute('_brumate.displays', 'take'), Buffer.of())
    for (const message of decode(taken).tree as Uint8Array[]) list.follow(decode(message).tree)
    const result = readResult(items, exact)
    const last = Object.keys(result.display).length > 0 ? [result.display] : []
    return { ...result, displays: [...list.displays, ...last] }
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

  /** Returns the output written since the last call. */
  written(): Written {
    return this.#python.takeWritten()
  }

  #request(request: Uint8Array): Extract<Answer, { ok: true }> {
    const bytes = this.#python.call(this.#dispatch, request)
    if (bytes[0] !== 0) throw new Error('the execution waits')
    const reader = new AnswerReader(bytes.slice(HEAD_BYTES))
    reader.advance(Number.POSITIVE_INFINITY)
    const { answer } = reader
    if (!answer.ok) throw new Failed(answer)
    return answer
  }
}

/** Removes the indentation of the surrounding test. */
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
