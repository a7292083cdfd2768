// A child process that runs the cases of one suite, one at a time, and tells what each came to and what it did to this
// process (ATTACKS.md 1). Owns the process-wide oracles; what a case does is its suite's.
//
//   node run-case.mjs <suite> <setup as JSON>          with an IPC channel
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

const [name, setup] = process.argv.slice(2)
/** Two ticks of the histogram below. */
const QUIET_MS = 12
const uncaught = []
process.on('uncaughtException', (error) => uncaught.push(describe(error)))
process.on('unhandledRejection', (error) => uncaught.push(describe(error)))
process.on('disconnect', () => process.exit())

const options = JSON.parse(setup)
// What code that got out would find.
globalThis.canary = options.canary
const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()

const suite = await import(name.startsWith('file:') ? name : `./suites/${name}.mjs`)
const run = await suite.open(options)
process.on('message', async (input) => {
  const resources = resourceCount()
  await sleep(QUIET_MS)
  delay.reset()
  let peakRssBytes = 0
  const sample = () => {
    peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss())
  }
  sample()
  const sampling = setInterval(sample, 10)
  const startedMs = performance.now()
  let output
  try {
    output = await run(input)
  } catch (error) {
    uncaught.push(`the suite failed: ${describe(error)}`)
  }
  const durationMs = performance.now() - startedMs
  // A stall is recorded by the timer that comes after it.
  await sleep(QUIET_MS)
  clearInterval(sampling)
  sample()
  process.send({
    output,
    state: {
      durationMs,
      uncaught: uncaught.splice(0),
      polluted: polluted(),
      delayMs: delay.max / 1e6,
      peakRssBytes,
      newResources: resourceCount() - resources,
    },
  })
})
process.send('open')

function polluted() {
  return [Object, Array, Function, String, Number, Promise, Map, Error, Uint8Array].flatMap((type) =>
    Object.keys(type.prototype).map((key) => `${type.name}.prototype.${key}`),
  )
}

/** Ports, workers, timers and sockets that keep a process alive. */
function resourceCount() {
  return process.getActiveResourcesInfo().length
}

function describe(error) {
  try {
    return error instanceof Error ? `${error.stack}` : `not an Error: ${typeof error}`
  } catch {
    return 'an error that cannot be read'
  }
}
