// JavaScript that has got into a slot's thread (attacker level L2): boots and seals the thread as a slot does, then overwrites every byte
// that it can reach from the data the thread was started with, and reports how many there were.
const { parentPort, workerData } = require('node:worker_threads')
const { createContext, runInContext } = require('node:vm')

const { WebAssembly } = runInContext('globalThis', createContext())
const post = parentPort.postMessage.bind(parentPort)
// The slot reads `workerData` of this thread.
require('../../../dist/workers/slot.bundle.cjs')

const written = { bytes: 0, copied: 0, refused: '' }
const seen = new Set()
function scrawl(value) {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return
  seen.add(value)
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
    new Uint8Array(value).fill(0x66)
    written.bytes += value.byteLength
    return
  }
  if (ArrayBuffer.isView(value)) return scrawl(value.buffer)
  if (
    value instanceof WebAssembly.Module ||
    Object.prototype.toString.call(value) === '[object WebAssembly.Module]'
  )
    return useModule(value)
  for (const key of Reflect.ownKeys(value)) scrawl(value[key])
}

/** Code can only get copies of the data in such a module; it overwrites them. */
function useModule(module) {
  if (!WebAssembly.Module.exports(module).some(({ name }) => name === 'copy')) return
  const memory = new WebAssembly.Memory({ initial: 1 })
  const { copy } = new WebAssembly.Instance(module, { env: { memory } }).exports
  for (let round = 0; round < 3; round++) {
    for (let from = 0; from < 14_000_000; from += 65_536) {
      copy(from, 0, 65_536)
      written.copied += 65_536
      new Uint8Array(memory.buffer).fill(0x66)
    }
  }
}

scrawl(workerData)
const { descriptor, offset } = workerData.fileSource
try {
  require('node:fs').writeSync(descriptor, 'fff', offset)
} catch (error) {
  written.refused = error.code
}
post(written)
