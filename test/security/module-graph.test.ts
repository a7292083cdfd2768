// Invariant R2: a slot loads no code but ours, one named package, and the image's one WebAssembly module; nothing in it turns text into
// code. Shown twice: from the syntax trees of the build, and in a thread that has loaded a slot.
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import type { openImage as OpenImage } from '../../src/image/open.js'
import { DIST } from './support/child.js'
import { type ModuleGraph, moduleGraph, resolvePackage } from './support/module-graph.js'

const ENTRY = new URL('workers/slot.js', DIST).href
/** The same code in one file, which is what slots load. */
const BUNDLE = new URL('workers/slot.bundle.cjs', DIST).href
/** Packages that a slot may load, and Node modules that its own code uses. Of `node:fs` it uses only `readSync`; see below. */
const PACKAGES = ['comlink/dist/esm/comlink.mjs']
const BUILTINS = ['node:buffer', 'node:crypto', 'node:fs', 'node:worker_threads', 'node:zlib']

describe('the static graph of a slot', () => {
  let graph: ModuleGraph
  beforeAll(() => {
    graph = moduleGraph(ENTRY)
  })

  it('R2: control: the walk reaches the host, the interpreter and the seal', () => {
    const names = graph.files.map((url) => url.slice(DIST.length))
    expect(names).toEqual(
      expect.arrayContaining(['workers/host/host.js', 'workers/interpreter/link.js', 'workers/seal.js']),
    )
    expect(names.length).toBeGreaterThan(30)
  })

  it('R2: every file is in dist/workers or dist/src/shared', () => {
    const folders = ['workers/', 'src/shared/'].map((folder) => new URL(folder, DIST).href)
    expect(graph.files.filter((url) => !folders.some((folder) => url.startsWith(folder)))).toEqual([])
  })

  it('R2: no file of the builder is included', () => {
    expect(graph.files.filter((url) => url.includes('/workers/builder'))).toEqual([])
  })

  it('R2: outside these files a slot loads only the listed packages and Node modules, and nothing of Pyodide', () => {
    expect(graph.outside).toEqual([...PACKAGES, ...BUILTINS].sort())
    for (const name of PACKAGES) expect(resolvePackage(name, ENTRY)).not.toContain('pyodide')
  })

  it('R2: no file has import(), eval, require or another way to create code', () => {
    expect(graph.dynamic).toEqual([])
  })

  it.each(PACKAGES)('R2: the package %s has none either', (name) => {
    const { dynamic, outside } = moduleGraph(resolvePackage(name, ENTRY))
    expect(outside).toEqual([])
    expect(dynamic).toEqual([])
  })

  it('R2: the bundle that slots load contains nothing else', () => {
    const bundle = moduleGraph(BUNDLE)
    expect(bundle.files).toEqual([BUNDLE])
    expect(bundle.outside).toEqual(BUILTINS)
    expect(bundle.dynamic).toEqual([])
  })

  it('R2: the bundle runs in strict mode, like the modules it was built from', () => {
    expect(readFileSync(new URL(BUNDLE), 'utf8').slice(0, 12)).toBe('"use strict"')
  })

  it('R2 control: the same walk finds node:vm in the builder, which evaluates Pyodide’s script', () => {
    const builder = moduleGraph(new URL('workers/builder.js', DIST).href)
    expect(builder.outside).toContain('node:vm')
  })
})

it('R2: a slot reads only from the descriptor it was given, and opens or writes no file', () => {
  const text = readFileSync(new URL(BUNDLE), 'utf8')
  const [, name] = /(\w+) = require\("node:fs"\)/.exec(text) ?? []
  expect(name).toBeDefined()
  const uses = [...text.matchAll(new RegExp(`\\b${name}\\b(\\.\\w+)?`, 'g'))].map(([, use]) => use)
  expect(uses).toEqual([undefined, '.readSync'])
})

interface Trace {
  readonly urls: readonly string[]
  readonly required: readonly string[]
  readonly builtins: readonly string[]
  readonly env: object
  readonly argv: readonly string[]
  readonly execArgv: readonly string[]
  readonly serves: string
}

describe('a thread that has loaded a slot', () => {
  let trace: Trace
  beforeAll(async () => {
    const { openImage } = (await import(new URL('src/image/open.js', DIST).href)) as {
      openImage: typeof OpenImage
    }
    const image = await openImage({ cacheDir: inject('cacheDir') })
    const worker = new Worker(new URL('support/traced-slot.mjs', import.meta.url), {
      workerData: { ...image, entry: BUNDLE },
      env: {},
      argv: [],
      execArgv: [],
      resourceLimits: { stackSizeMb: 64 },
    })
    trace = await new Promise<Trace>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    await worker.terminate()
  })

  it('R2: has booted, and loaded nothing but the bundle', () => {
    expect(trace.serves).toBe('function')
    expect(trace.required).toEqual([BUNDLE])
    // Hooks of newer Nodes also report required files.
    expect(trace.urls.filter((url) => url !== BUNDLE)).toEqual([])
  })

  it('R2: has loaded no Node module that runs programs, evaluates text or opens connections', () => {
    const names = trace.builtins.map((name) => name.replace('NativeModule ', ''))
    expect(
      names.filter((name) =>
        ['child_process', 'net', 'http', 'https', 'vm', 'repl', 'inspector', 'dgram', 'cluster'].includes(
          name,
        ),
      ),
    ).toEqual([])
  })

  it('D29: has no environment variables, arguments or flags of the process', () => {
    expect(trace).toMatchObject({ env: {}, argv: [], execArgv: [] })
  })
})
