// Fuzzer of the module's imports: random numbers and pointers, at a normal stack depth and with only the last bytes of the stack left.
// Owns the child process; its death is a fault.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const name = 'imports'

const DIST = new URL('../../dist/', import.meta.url).href
const PROCESS = fileURLToPath(new URL('support/imports-process.mjs', import.meta.url))
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/brumate', import.meta.url))
/** Length of one round of the child. A fault ends the round. */
const ROUND_MS = 20_000
/** A round that takes this much longer is considered hung. */
const GRACE_MS = 30_000

/**
 * @param {object} options
 * @param {number} options.seed
 * @param {number} options.deadlineMs - on the clock of `performance.now()`
 * @param {number} [options.minCases] - even past the deadline; default 1, because starting the process may take all the time
 * @param {(cases: number) => void} [options.onProgress]
 * @param {true | string[]} [options.sweep] - instead, try every 16th byte of the last of the stack, for all imports or these
 * @returns {Promise<{ cases: number, counts: Record<string, number>, faults: string[] }>}
 */
export async function run({
  seed,
  deadlineMs,
  minCases = 1,
  onProgress,
  sweep,
  dist = DIST,
  cacheDir = CACHE,
  flags = [],
}) {
  const total = { cases: 0, counts: {}, faults: [] }
  const endMs = Date.now() + deadlineMs - performance.now()
  for (let round = 0; ; round++) {
    const untilMs = Math.min(endMs, Date.now() + ROUND_MS)
    const options = { seed: (seed + round) >>> 0, untilMs, minCases, sweep, dist, cacheDir }
    const { cases, counts, faults } = await inChild(options, flags)
    total.cases += cases
    for (const [key, count] of Object.entries(counts)) total.counts[key] = (total.counts[key] ?? 0) + count
    total.faults.push(...faults.map((fault) => `seed ${options.seed}: ${fault}`))
    onProgress?.(total.cases)
    if (sweep || Date.now() >= endMs) return total
  }
}

function inChild(options, flags) {
  return new Promise((resolve) => {
    const child = fork(PROCESS, [JSON.stringify(options)], {
      execArgv: [...flags],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    })
    let log = ''
    let result
    child.stderr.setEncoding('utf8').on('data', (text) => {
      log = (log + text).slice(-2000)
    })
    const timer =
      options.sweep || options.minCases > 1
        ? undefined
        : setTimeout(() => child.kill('SIGKILL'), options.untilMs - Date.now() + GRACE_MS)
    child.once('message', (message) => {
      result = message
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      const fault = `the process ended with ${signal ?? code} after: ${log}`
      resolve(result ?? { cases: 0, counts: {}, faults: [fault] })
    })
  })
}
