// The child's side of the corpus, loaded by test/security/support/run-case.mjs: a manager, an attacker's session, two neighbours of other
// tenants that work throughout, and the counts of this process that must be as before. A case is one attack; its result is what it
// came to. Owns the measurements; judging them is judge.ts's.
import { readdirSync, readFileSync, truncateSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { scaled } from '../../support/slowness.mjs'

const SLOTS = 4
const TICK_MS = 40
/** Until counts are back: a slot that replaces another has to boot on a busy machine. */
const SETTLE_MS = 8000
const MAX_TEXT = 4000
/** The runner listens for messages once the suite is open, and some Nodes take a listener of their own for the exit away. */
const CHANGING_EVENTS = ['message', 'exit']

const spied = []
let armed = false
// Before brumate is loaded, so that it has the watched functions.
createRequire(import.meta.url)('./spies.cjs').install((name, argument) => {
  if (armed) spied.push(`${name} ${argument}`)
})

/** Setup: `dist` is the build to load, `slots` what its slots are, `journal` what they write to. */
export async function open({ dist, cacheDir, journal, slots }) {
  // An owned worker says 42 to whatever it is asked, also to a neighbour.
  const owned = slots === 'owned'
  const { SessionManager } = await import(new URL('src/index.js', dist).href)
  const manager = await SessionManager.create({ cacheDir, slots: SLOTS })
  const neighbours = await Promise.all(
    ['one', 'two'].map((tenant) =>
      manager.createSession({ tenant: `neighbour-${tenant}`, checkpoint: 'manual' }),
    ),
  )
  await Promise.all(neighbours.map((session) => session.execute('n = 0')))
  const turns = neighbours.map(() => 0)
  // With all slots that there may be, so that counts can only fall.
  const others = await Promise.all([1, 2].map(() => manager.createSession({ tenant: 'attacker' })))
  await Promise.all(others.map((session) => session.execute('6 * 7')))
  // What the main thread loads for its first snapshot is loaded before anything is watched. An owned worker gives none.
  await others[0].snapshotState().catch(() => {})
  const baseline = counts()
  await Promise.all(others.map((session) => session.close()))

  return async ({ steps, timeoutMs: idleTimeoutMs, limits, env, recover, reports }) => {
    const timeoutMs = scaled(idleTimeoutMs)
    spied.length = 0
    truncateSync(journal)
    const calls = []
    const result = await attack({ steps, timeoutMs, limits, env, recover, reports }, calls)
    // Those that were looked at: Node opens a descriptor for a moment now and then.
    let settledCounts = counts()
    await settled(() => {
      settledCounts = counts()
      return back(settledCounts)
    })
    return { ...result, calls, spied: [...spied], journal: entries(), baseline, counts: settledCounts }
  }

  async function attack({ steps, timeoutMs, limits, env, recover, reports }, calls) {
    const executionLimits = { executionTimeoutMs: timeoutMs, ...limits }
    const session = await manager.createSession({
      tenant: 'attacker',
      limits: executionLimits,
      env,
      callbacks: {
        echo: (args) => {
          if (calls.length < 100) calls.push(isLarge(args.x) ? 'large' : args)
          return args.x
        },
        big: ({ bytes }) => new Uint8Array(bytes),
      },
    })
    await session.execute("kept = [1, 'two']", { timeoutMs: 15_000 })
    armed = true
    const over = new AbortController()
    const working = neighbours.map((neighbour, index) => work(neighbour, index, over.signal))
    const results = []
    try {
      for (const step of steps) {
        results.push(await outcome(call(session, step, timeoutMs)))
        // Told here, so that a state that shows its damage later is not the next step's fault.
        if (step.reset) await session.execute("kept = [1, 'two']", { timeoutMs: 15_000 })
      }
      if (reports) await settled(() => entries().some(({ done }) => done !== undefined))
    } finally {
      over.abort()
    }
    const neighboursMeanwhile = await Promise.all(working)
    if (recover) await session.reset()
    // What was broken may show only when the checkpoint is taken: then the call after it is told.
    const look = () =>
      outcome(session.execute("kept if 'kept' in globals() else None", { timeoutMs: 15_000 }))
    const looks = [await look()]
    if (looks[0].kind === 'error') looks.push(await look())
    const after = await outcome(session.execute('6 * 7', { timeoutMs: 15_000 }))
    await session.close()
    const neighboursAfter = await Promise.all(
      neighbours.map((neighbour, index) => work(neighbour, index, AbortSignal.abort())),
    )
    armed = false
    return { steps: results, looks, after, neighbours: [...neighboursMeanwhile, ...neighboursAfter] }
  }

  /** A neighbour counts, until it is told to stop but once at least; gives what it got that it should not have. */
  async function work(session, index, over) {
    for (;;) {
      const { value, message } = await session
        .execute('n += 1; n', { timeoutMs: 15_000 })
        .catch((error) => ({ message: String(error) }))
      turns[index] += 1
      if (value !== (owned ? 42 : turns[index]))
        return `expected ${turns[index]}, got ${message ?? inspect(value)}`
      if (over.aborted) return 'well'
      await sleep(TICK_MS, undefined, { signal: over }).catch(() => {})
    }
  }

  function back(now) {
    return Object.entries(baseline).every(([name, count]) => now[name] <= count)
  }

  function entries() {
    return readFileOf(journal)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  }
}

/** What is kept of an attack's arguments must not be what fills this process. */
function isLarge(value) {
  if (typeof value === 'bigint') return value > 2n ** 64n
  if (typeof value !== 'object' || value === null) return (value?.length ?? 0) > 10_000
  return (value.length ?? value.size ?? Object.keys(value).length) > 1000
}

function call(session, step, timeoutMs) {
  if (step.get !== undefined) return session.get(step.get).then((value) => ({ value }))
  if (step.reset) return session.reset().then(() => ({}))
  if (step.snapshot) return session.snapshotState().then(({ size }) => ({ value: size > 0 }))
  return session.execute(step.code, { timeoutMs: step.timeoutMs ?? timeoutMs })
}

function outcome(promise) {
  return promise.then(success, failure)
}

function success({ status, value, repr, stdout, stderr, display, peakMemoryBytes }) {
  return {
    kind: status === 'suspended' ? 'suspended' : 'result',
    // Printing a huge integer takes longer than anything that is measured here.
    value: typeof value === 'bigint' ? 'a bigint' : text(inspect(value, { maxStringLength: MAX_TEXT })),
    repr: text(repr),
    stdout: text(stdout),
    stderr: text(stderr),
    display: text(inspect(display, { maxStringLength: MAX_TEXT })),
    peakMemoryBytes,
  }
}

function failure(error) {
  const { name, code, type, outcome, limit, reason, message, traceback, stdout, stderr } = error
  return {
    kind: 'error',
    typed: error instanceof Error && typeof code === 'string' && error.constructor.name === name,
    name,
    code,
    type,
    outcome,
    limit,
    reason,
    message: text(message),
    messageLength: message?.length,
    traceback: text(traceback),
    stdout: text(stdout),
    stderr: text(stderr),
  }
}

function text(value) {
  return typeof value === 'string' && value.length > MAX_TEXT ? value.slice(0, MAX_TEXT) : value
}

/** What this process holds. Linux tells of descriptors and threads; elsewhere both are 0. */
function counts() {
  const resources = process.getActiveResourcesInfo()
  return {
    descriptors: entriesOf('/proc/self/fd'),
    threads: entriesOf('/proc/self/task'),
    handles: resources.filter((name) => name !== 'Timeout' && name !== 'Immediate').length,
    prototypeKeys: PROTOTYPES.reduce((sum, target) => sum + Reflect.ownKeys(target).length, 0),
    globals: Reflect.ownKeys(globalThis).length,
    listeners: process
      .eventNames()
      .filter((name) => !CHANGING_EVENTS.includes(name))
      .reduce((sum, name) => sum + process.listenerCount(name), 0),
  }
}

const PROTOTYPES = [
  ...[Object, Array, Function, String, Number, Boolean, Symbol, BigInt, Promise, Map, Set, Error, Uint8Array],
  ...[ArrayBuffer, Date, RegExp, WeakMap],
].flatMap((type) => [type, type.prototype])

function entriesOf(directory) {
  try {
    return readdirSync(directory).length
  } catch {
    return 0
  }
}

function readFileOf(path) {
  const wasArmed = armed
  armed = false
  try {
    return readFileSync(path, 'utf8')
  } finally {
    armed = wasArmed
  }
}

/** Waits for the condition, but not for ever. */
async function settled(condition) {
  const latestMs = performance.now() + SETTLE_MS
  while (!condition() && performance.now() < latestMs) await new Promise((resolve) => setTimeout(resolve, 5))
}
