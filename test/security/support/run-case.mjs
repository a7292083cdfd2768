// A child process that runs the cases of one suite, one at a time, and reports the result of each and its effects on this process. Owns
// the process-wide checks; the suite decides what a case does.
//
//   node run-case.mjs <suite> <setup as JSON>          with an IPC channel
import { openSync, readSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const [name, setup] = process.argv.slice(2)
const TICK_MS = 5
const QUIET_MS = 2 * TICK_MS + 2
const uncaught = []
const schedule = openSchedule()
const scratch = Buffer.alloc(128)
process.on('uncaughtException', (error) => uncaught.push(describe(error)))
process.on('unhandledRejection', (error) => uncaught.push(describe(error)))
process.on('disconnect', () => process.exit())

const options = JSON.parse(setup)
// A secret that escaped code would find.
globalThis.canary = options.canary

const suite = await import(name.startsWith('file:') ? name : `./suites/${name}.mjs`)
const run = await suite.open(options)
process.on('message', async (input) => {
  const resources = resourceCount()
  await sleep(QUIET_MS)
  const turns = new Turns()
  let peakRssBytes = 0
  const sample = () => {
    peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss())
  }
  sample()
  const startRssBytes = peakRssBytes
  const sampling = setInterval(sample, 10)
  let output
  try {
    output = await run(input)
  } catch (error) {
    uncaught.push(`the suite failed: ${describe(error)}`)
  }
  // A long turn is recorded by the timer that comes after it.
  await sleep(QUIET_MS)
  clearInterval(sampling)
  sample()
  process.send({
    output,
    state: {
      uncaught: uncaught.splice(0),
      polluted: polluted(),
      longestTurnMs: turns.end(),
      startRssBytes,
      peakRssBytes,
      newResources: resourceCount() - resources,
    },
  })
})
process.send('open')

/** Measures the longest work of the main thread between two ticks of a timer. */
class Turns {
  #sinceMs = threadMs()
  #longestMs = 0
  #timer = setInterval(() => this.#tick(), TICK_MS)

  end() {
    clearInterval(this.#timer)
    this.#tick()
    return this.#longestMs
  }

  #tick() {
    const nowMs = threadMs()
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#sinceMs)
    this.#sinceMs = nowMs
  }
}

/** Processor time of the main thread alone, in ms; wall-clock time on systems other than Linux. */
function threadMs() {
  if (schedule === undefined) return performance.now()
  const length = readSync(schedule, scratch, 0, scratch.length, 0)
  return Number(scratch.latin1Slice(0, length).split(' ', 1)[0]) / 1e6
}

function openSchedule() {
  try {
    return openSync('/proc/self/schedstat')
  } catch {
    return undefined
  }
}

function polluted() {
  return [Object, Array, Function, String, Number, Promise, Map, Error, Uint8Array].flatMap((type) =>
    Object.keys(type.prototype).map((key) => `${type.name}.prototype.${key}`),
  )
}

/** Number of ports, workers, timers and sockets that keep the process alive. */
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
