// The process of the import fuzzer, started by imports.mjs: opens the image, answers host calls, provides a storage, and runs the worker
// with a small stack. The fuzzer looks for anything that ends this process.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { MessageChannel, Worker } from 'node:worker_threads'

const options = JSON.parse(process.argv[2])
const { dist, cacheDir } = options
const load = (path) => import(new URL(path, dist).href)
const { openImage } = await load('src/image/open.js')
const { StorageThread } = await load('src/vfs/thread.js')

/** Much smaller than a slot's stack, so that reaching its end is quick. */
const STACK_MB = 1

const image = await openImage({ cacheDir })
const storage = new StorageThread({ kind: 'memory', maxBytes: 2 ** 20 })
const changes = new SharedArrayBuffer(4)
const { port1, port2 } = new MessageChannel()
port1.on('message', (message) => {
  port1.postMessage(message)
  Atomics.add(new Int32Array(changes), 0, 1)
  Atomics.notify(new Int32Array(changes), 0)
})
port1.unref()
const worker = new Worker(new URL('imports-worker.mjs', import.meta.url), {
  workerData: {
    ...options,
    image,
    mount: { path: '/mnt/shared', ...storage.connect().wire },
    calls: { port: port2, changes },
    ...importSignatures(readFileSync(createRequire(import.meta.url).resolve('pyodide/pyodide.asm.wasm'))),
    stackBytes: STACK_MB * 2 ** 20,
  },
  transferList: [port2],
  resourceLimits: { stackSizeMb: STACK_MB },
})
worker.on('message', (message) => {
  if (!message.done) return
  process.send(message, () => process.exit())
})
worker.on('error', (error) => {
  process.send({ cases: 0, counts: {}, faults: [`the worker failed: ${error.stack ?? error}`] }, () =>
    process.exit(),
  )
})

/** Letters of the parameters and results of each imported function: i and j are 32 and 64 bits, f and d floats, E a reference. */
function importSignatures(bytes) {
  const letters = { 127: 'i', 126: 'j', 125: 'f', 124: 'd', 111: 'E', 112: 'E' }
  const types = []
  const parameters = new Map()
  const results = new Map()
  let at = 8
  const unsigned = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  const take = (length) => {
    at += length
    return bytes.subarray(at - length, at)
  }
  const text = () => Buffer.from(take(unsigned())).toString()
  const list = () => Array.from(take(unsigned()), (byte) => letters[byte] ?? '?').join('')
  while (at < bytes.length) {
    const id = bytes[at++]
    const end = unsigned() + at
    if (id === 1) {
      for (let count = unsigned(); count > 0; count--) {
        at++
        types.push([list(), list()])
      }
    } else if (id === 2) {
      for (let count = unsigned(); count > 0; count--) {
        const name = `${text()}.${text()}`
        const kind = bytes[at++]
        if (kind === 3) at += 2
        if (kind !== 0) continue
        const [takes, returns] = types[unsigned()]
        parameters.set(name, takes)
        results.set(name, returns)
      }
    }
    at = end
  }
  return { signatures: parameters, results }
}
