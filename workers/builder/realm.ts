// Boots Pyodide's CPython in a realm (a `vm` context) whose globals we choose. Owns everything that touches Pyodide's JavaScript: no other
// file of brumate does. Stops before Pyodide installs its Python side and its bridge to JavaScript, so the result is plain CPython. Only
// code that the operator chose runs here.
import { createContext, Script } from 'node:vm'
import type { InterpreterExports } from '../interpreter/exports.js'
import type { PyodidePackage } from './pyodide-package.js'
import { installRealmGlobals, type RealmHost } from './realm-globals.js'

/** 2026-01-01: the time that the builder's clock shows, and the modification time of everything in the image. */
export const BUILD_EPOCH_MS = Date.UTC(2026, 0, 1)

/** Exports of the stock module that the builder needs beyond those of a slot. Globals are addresses. */
export interface StockExports extends InterpreterExports {
  PyRun_SimpleString(source: number): number
  PyImport_ImportModule(name: number): number
  PyObject_GetAttrString(object: number, name: number): number
  readonly PyImport_Inittab: WebAssembly.Global<'i32'>
  readonly _PyRuntime: WebAssembly.Global<'i32'>
  readonly _PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET: WebAssembly.Global<'i32'>
  readonly Py_EMSCRIPTEN_SIGNAL_HANDLING: WebAssembly.Global<'i32'>
  readonly Py_Version: WebAssembly.Global<'i32'>
  readonly __stack_low: WebAssembly.Global<'i32'>
  readonly __stack_high: WebAssembly.Global<'i32'>
}

/** Emscripten's file system, as far as the builder uses it. */
export interface StockFiles {
  mkdirTree(path: string): void
  writeFile(path: string, data: Uint8Array): void
  readFile(path: string): Uint8Array
  unlink(path: string): void
  chdir(path: string): void
  readonly streams: readonly (object | null | undefined)[]
}

export interface StockInterpreter {
  readonly exports: StockExports
  readonly files: StockFiles
  /** While false, `emscripten_resize_heap` refuses. */
  growthAllowed: boolean
  /** Lines that C and Python wrote to their standard streams, and warnings of Pyodide's JavaScript. */
  readonly log: string[]
}

export interface RealmOptions {
  readonly pyodide: PyodidePackage
  readonly env: Readonly<Record<string, string>>
  readonly program: string
  /** Called once the file system exists, before Python starts. */
  readonly prepareFiles: (files: StockFiles) => void
}

interface EmscriptenModule {
  readonly FS: StockFiles
  readonly ENV: Record<string, string | undefined>
}

type RealmImports = Record<string, Record<string, unknown>> & { env: Record<string, unknown> }

export async function bootStockInterpreter(options: RealmOptions): Promise<StockInterpreter> {
  const { pyodide, env, program, prepareFiles } = options
  const log: string[] = []
  const host: RealmHost = {
    TextDecoder,
    TextEncoder,
    setTimeout: (callback, delayMs) => void setTimeout(callback, delayMs),
    log: (line) => void log.push(line),
    epochMs: BUILD_EPOCH_MS,
  }
  const realm = createContext(Object.create(null), { codeGeneration: { strings: false, wasm: true } })
  const run = <T>(source: string, filename: string) =>
    new Script(source, { filename }).runInContext(realm) as T
  run<(host: RealmHost) => void>(`(${installRealmGlobals})`, 'brumate:realm-globals')(host)
  const { Instance, Module } = run<typeof WebAssembly>('WebAssembly', 'brumate:realm')

  let exports: StockExports | undefined
  const stock = { growthAllowed: true }
  const settings = run<Record<string, unknown>>(SETTINGS, 'brumate:settings')
  Object.assign(settings, {
    print: host.log,
    printErr: host.log,
    thisProgram: program,
    preRun: [
      (module: EmscriptenModule) => {
        prepareFiles(module.FS)
        for (const name of EMSCRIPTEN_ENV) module.ENV[name] = undefined
        Object.assign(module.ENV, env)
      },
    ],
    instantiateWasm(
      imports: RealmImports,
      ready: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
    ) {
      const marker = Symbol('error')
      imports.env.Jsv_GetError_import = () => marker
      imports.env.JsvError_Check = (value: unknown) => (value === marker ? 1 : 0)
      const grow = imports.env.emscripten_resize_heap as (bytes: number) => number
      imports.env.emscripten_resize_heap = (bytes: number) => (stock.growthAllowed ? grow(bytes) : 0)
      const module = new Module(pyodide.wasm)
      const instance = new Instance(module, imports as WebAssembly.Imports)
      exports = instance.exports as unknown as StockExports
      ready(instance, module)
      return {}
    },
  })
  const create = run<(settings: object) => Promise<EmscriptenModule>>(
    factorySource(pyodide.script),
    'pyodide:asm',
  )
  const module = await create(settings)
  if (exports === undefined) throw new Error('Pyodide did not instantiate its WebAssembly module')
  return Object.assign(stock, { exports, files: module.FS, log })
}

/** Environment variables that Emscripten would set by itself. */
const EMSCRIPTEN_ENV = ['USER', 'LOGNAME', 'PATH', 'PWD', 'HOME', 'LANG', '_']

const SETTINGS = `({
  noImageDecoding: true, noAudioDecoding: true, arguments: [],
  API: { config: { env: {}, jsglobals: Object.create(null) }, runtimeEnv: { IN_BROWSER: true, IN_BROWSER_WEB_WORKER: true } },
})`

/** Turns the package's ES module into an expression for its default export, because a `vm` script cannot use `import.meta`. */
function factorySource(script: string): string {
  const source = script
    .replaceAll('import.meta.url', '"file:///pyodide/pyodide.asm.mjs"')
    .replace(/export default _createPyodideModule;?/, '')
  if (/\bexport\b|import\.meta/.test(source.slice(-2000)))
    throw new Error('unexpected form of pyodide.asm.mjs')
  return `(() => {${source}\nreturn _createPyodideModule})()`
}
