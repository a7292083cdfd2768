// The child's side of the corpus, loaded by test/security/support/run-case.mjs: a manager, an attacker's session, two neighbours of other
// tenants that work throughout, and counts of this process's resources, which must not grow. A case is one attack, and returns its
// outcome. Owns the measurements; judge.ts judges them.
import { readdirSync, readFileSync, truncateSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

const SLOTS = 4
const TICK_MS = 40
/** Shorter than the default, because most attacks that an interrupt does not stop keep a core busy during it. */
const GRACE_MS = 60
/** Time for counts to settle: a replacement slot may have to boot on a busy machine. */
const SETTLE_MS = 8000
const MAX_TEXT = 4000
/** The runner starts to listen for messages once the suite is open, and some versions of Node remove an exit listener of their own. */
const CHANGING_EVENTS = ['message', 'exit']

const spied = []
let armed = false
// Install the spies before brumate is loaded, so that it uses the watched functions.
createRequire(import.meta.url)('./spies.cjs').install((name, argument) => {
  if (armed) spied.push(`${name} ${argument}`)
})

/** @param setup `dist` is the build to load, `slots` the kind of its slots, `journal` the file they write to */
export async function open({ dist, cacheDir, journal, slots }) {
  // An owned worker answers 42 to everything, also to a neighbour.
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
  // Take the baseline with the maximum number of slots, so that counts can only fall.
  const others = await Promise.all([1, 2].map(() => manager.createSession({ tenant: 'attacker' })))
  await Promise.all(others.map((session) => session.execute('6 * 7')))
  // Take a snapshot first, so that modules loaded for it are loaded before anything is watched. An owned worker refuses.
  await others[0].snapshotState().catch(() => {})
  const baseline = counts()
  await Promise.all(others.map((session) => session.close()))

  return async ({ steps, timeoutMs, limits, env, recover, reports }) => {
    spied.length = 0
    truncateSync(journal)
    const calls = []
    const result = await attack({ steps, timeoutMs, limits, env, recover, reports }, calls)
    // Return the counts that were compared, because Node opens a descriptor for a moment now and then.
    let settledCounts = counts()
    await settled(() => {
      settledCounts = counts()
      return back(settledCounts)
    })
    return { ...result, calls, spied: [...spied], journal: entries(), baseline, counts: settledCounts }
  }

  async function attack({ steps, timeoutMs, limits, env, recover, reports }, calls) {
    const executionLimits = { executionTimeoutMs: timeoutMs, interruptGraceMs: GRACE_MS, ...limits }
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
        // Run code right after a reset, so that delayed damage is not blamed on the next step.
        if (step.reset) await session.execute("kept = [1, 'two']", { timeoutMs: 15_000 })
      }
      if (reports) await settled(() => entries().some(({ done }) => done !== undefined))
    } finally {
      over.abort()
    }
    const neighboursMeanwhile = await Promise.all(working)
    if (recover) await session.reset()
    // Damage may show only when the checkpoint is taken. Then the call after it gets the error.
    const look = () => outcome(session.execute('6 * 7', { timeoutMs: 15_000 }))
    const looks = [await look()]
    if (looks[0].kind === 'error') looks.push(await look())
    // Not an execution, which would be preceded by another checkpoint. An owned worker has no state.
    const kept = owned ? undefined : await outcome(call(session, { get: 'kept' }))
    await session.close()
    const neighboursAfter = await Promise.all(
      neighbours.map((neighbour, index) => work(neighbour, index, AbortSignal.abort())),
    )
    armed = false
    return { steps: results, looks, kept, neighbours: [...neighboursMeanwhile, ...neighboursAfter] }
  }

  /** Lets a neighbour count until told to stop, but at least once. @returns 'well', or what was wrong */
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

/** Large arguments of an attack are not kept, because they could fill this process's memory. */
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
    // Printing a huge integer would take longer than anything measured here.
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

/** Counts of this process's resources. Descriptors and threads are counted on Linux; elsewhere both are 0. */
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

/** Waits for the condition, up to SETTLE_MS. */
async function settled(condition) {
  const latestMs = performance.now() + SETTLE_MS
  while (!condition() && performance.now() < latestMs) await new Promise((resolve) => setTimeout(resolve, 5))
}
