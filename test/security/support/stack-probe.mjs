// Measures how many bytes of stack the host reserves for an import, above V8's limit. Prints them, and the number of
// calls whose success does not fit that number.
import { isMainThread, Worker } from 'node:worker_threads'
import { bound, Diver } from '../../fuzz/support/deep-calls.mjs'

const STACK_MB = 1

if (isMainThread) {
  new Worker(new URL(import.meta.url), {
    argv: process.argv.slice(2),
    resourceLimits: { stackSizeMb: STACK_MB },
  })
} else {
  const load = (path) => import(new URL(path, process.argv[2]).href)
  const { stackProbeBytes } = await load('src/shared/image/stack-probe.js')
  const { stackProbe } = await load('workers/host/stack-reserve.js')
  const memory = new WebAssembly.Memory({ initial: 2 })
  const probe = stackProbe(new WebAssembly.Module(stackProbeBytes()), memory)
  // The probe is optimized from here on, if this process optimizes at all.
  for (let i = 0; i < 1_000_000; i++) probe(0)
  let passes = false
  const { call } = bound('', () => {
    try {
      passes = probe(0) === 0
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
  })
  const diver = new Diver(STACK_MB * 2 ** 20)
  const passesWith = (leftBytes) => {
    passes = false
    diver.at(call, leftBytes)
    return passes
  }
  let low = 4096
  let high = 512 * 1024
  while (high - low > 16) {
    const middle = (low + high) >> 1
    if (passesWith(middle)) high = middle
    else low = middle
  }
  let wrong = 0
  for (let left = 4096; left < 256 * 1024; left += 1000) {
    if (Math.abs(left - high) > 4096 && passesWith(left) !== left > high) wrong += 1
  }
  process.stdout.write(`${JSON.stringify({ reserveBytes: high, wrong })}\n`)
}
