// Loaded by each slot before its own code, in a copy of the build: lets the main thread end a worker at a named point of its work,
// and move its wall clock. Owns only reading the shared memory (chaos/faults.ts has its layout).
const process = require('node:process')
const { getEnvironmentData, MessagePort, threadId } = require('node:worker_threads')
const zlib = require('node:zlib')

const shared = getEnvironmentData('brumate-chaos')
if (shared !== undefined) {
  const { cells, points } = shared
  const clock = new Float64Array(cells, 8, 1)
  const words = new Int32Array(cells)
  const phase = 16 + (threadId % 1024)
  const shield = 1040 + (threadId % 1024)
  const methods = new Map()
  let renewing = false

  const realNow = Date.now
  Date.now = () => realNow() + clock[0]

  /** If this is the chosen point, waits here to be ended from outside, or ends by itself. */
  const reach = (point) => {
    const code = points.indexOf(point) + 1
    if (code === 0 || Atomics.compareExchange(words, 0, code, 0) !== code) return
    const how = Atomics.load(words, 4)
    Atomics.store(words, 1, threadId)
    if (how === 1) process.exit(1)
    else if (how === 2) process.nextTick(() => fail())
    else Atomics.wait(words, 1, threadId, 3000)
  }
  const fail = () => {
    throw new Error('chaos')
  }

  // Because of a defect of Node, ending a worker while it creates a stream ends the whole process (src/shared/threads/shield.ts). The
  // code that ends slots avoids that, and so must this: 1 while a stream is created, 2 when the worker is being ended and creates no more.
  const shielded = (make) =>
    function (...args) {
      while (Atomics.compareExchange(words, shield, 0, 1) === 2) Atomics.wait(words, shield, 2)
      try {
        return make.apply(this, args)
      } finally {
        Atomics.store(words, shield, 0)
        Atomics.notify(words, shield)
      }
    }
  for (const name of [
    'deflateRaw',
    'deflateRawSync',
    'inflateRawSync',
    'zstdCompressSync',
    'zstdDecompressSync',
  ])
    if (zlib[name] !== undefined) zlib[name] = shielded(zlib[name])

  reach('boot')
  Atomics.store(words, phase, 1)
  const { on, postMessage } = MessagePort.prototype
  MessagePort.prototype.on = function (type, listener) {
    if (type !== 'message') return on.call(this, type, listener)
    return on.call(this, type, (data) => {
      // The port over which a lease is served: the slot is renewed for it.
      if (data?.calls?.port !== undefined) {
        renewing = true
        reach('renew:begin')
      }
      const method = data?.path?.[0]
      if (typeof method === 'string') {
        methods.set(data.id, method)
        Atomics.store(words, phase, method === 'execute' || method === 'resume' ? 2 : 3)
        reach(`${method}:begin`)
      }
      listener(data)
    })
  }
  MessagePort.prototype.postMessage = function (data, transfer) {
    const method = methods.get(data?.id)
    const point = method ?? data?.event
    if (renewing && point === 'ready') {
      renewing = false
      reach('renew:end')
    }
    reach(method === undefined ? `${point}:before` : `${method}:end`)
    postMessage.call(this, data, transfer)
    if (method === undefined) return
    methods.delete(data.id)
    if (method !== 'interrupt') Atomics.store(words, phase, method === 'warm' ? 1 : 4)
    reach(`${method}:after`)
  }
}
