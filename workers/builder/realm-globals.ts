// The globals of the realm in which the builder runs Pyodide. Owns what that JavaScript can observe of its environment: the same on
// every machine and Node, so that the same inputs give the same memory. The function is passed into the realm as source text, so it
// may use only its parameters and the globals of ECMAScript.

/** What the realm gets from Node. It looks the same on every machine. */
export interface RealmHost {
  readonly TextDecoder: typeof TextDecoder
  readonly TextEncoder: typeof TextEncoder
  readonly setTimeout: (callback: () => void, delayMs: number) => void
  readonly log: (line: string) => void
  /** The wall clock always shows this time. */
  readonly epochMs: number
}

export function installRealmGlobals(host: RealmHost): void {
  const realm = globalThis as unknown as Record<string, unknown> & {
    Date: DateConstructor
    WebAssembly: Record<string, unknown> & typeof WebAssembly
  }
  // Make Emscripten take its path for web workers, which have neither Node's file system nor a window.
  class WorkerGlobalScope {}
  realm.WorkerGlobalScope = WorkerGlobalScope
  Object.setPrototypeOf(realm, WorkerGlobalScope.prototype)
  realm.self = realm
  realm.location = { href: 'file:///pyodide/worker.js' }
  realm.navigator = { userAgent: '', language: 'C' }
  realm.URL = class {
    readonly href: string
    constructor(url: string) {
      this.href = url
    }
  }
  realm.TextDecoder = host.TextDecoder
  realm.TextEncoder = host.TextEncoder
  realm.setTimeout = host.setTimeout
  realm.clearTimeout = () => {}
  const log = (...values: unknown[]) => host.log(values.map(String).join(' '))
  realm.console = { log, info: log, debug: log, warn: log, error: log }

  // Monotonic time stands still too. It is not 0, which some code takes to mean "never".
  realm.performance = { now: () => 1 }
  const RealDate = realm.Date
  const utc: Record<string, unknown> = { getTimezoneOffset: () => 0 }
  for (const part of ['FullYear', 'Month', 'Date', 'Day', 'Hours', 'Minutes', 'Seconds', 'Milliseconds'])
    utc[`get${part}`] = (RealDate.prototype as unknown as Record<string, unknown>)[`getUTC${part}`]
  for (const text of ['toString', 'toLocaleTimeString', 'toLocaleString'])
    utc[text] = function (this: Date) {
      return this.toUTCString()
    }
  const FixedDate = class extends RealDate {
    constructor(...parts: number[]) {
      const [first = host.epochMs, second, ...rest] = parts
      super(second === undefined ? first : RealDate.UTC(first, second, ...rest))
    }
    static override now() {
      return host.epochMs
    }
  }
  Object.assign(FixedDate.prototype, utc)
  realm.Date = FixedDate as unknown as DateConstructor

  let state = 0x9e3779b9
  const random32 = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  Math.random = () => random32() / 2 ** 32
  realm.crypto = {
    getRandomValues: (view: ArrayBufferView) => {
      const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
      for (let i = 0; i < bytes.length; i++) bytes[i] = random32()
      return view
    },
  }

  // Engines differ in JSPI, type reflection and wasm-gc. So hide stack switching and reflected function types, and refuse small modules
  // that use gc: Pyodide's JavaScript contains one (its trampoline), and works without it.
  for (const name of [
    'Suspending',
    'promising',
    'SuspendError',
    'Suspender',
    'Function',
    'Tag',
    'Exception',
    'JSTag',
  ])
    delete realm.WebAssembly[name]
  const RealModule = realm.WebAssembly.Module
  const usesGc = (bytes: Uint8Array) => bytes.length < 4096 && bytes.includes(0xfb)
  realm.WebAssembly.Module = class extends RealModule {
    constructor(bytes: Uint8Array) {
      if (usesGc(bytes)) throw new realm.WebAssembly.CompileError('hidden')
      super(bytes)
    }
  }
}
