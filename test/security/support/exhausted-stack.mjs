// A process whose session runs plain Python that exhausts the native stack: C recursion that CPython does not count.
// Prints the outcome of each execution on a line.
//
//   node exhausted-stack.mjs <dist> <cacheDir>
import { syncBuiltinESMExports } from 'node:module'
import workerThreads from 'node:worker_threads'

const [dist, cacheDir] = process.argv.slice(2)

// Slots have 64 MB of stack; a smaller stack is exhausted sooner.
const { Worker } = workerThreads
workerThreads.Worker = class extends Worker {
  constructor(file, options) {
    super(file, { ...options, resourceLimits: { ...options.resourceLimits, stackSizeMb: 4 } })
  }
}
syncBuiltinESMExports()

const { SessionManager } = await import(new URL('src/index.js', dist).href)
const manager = await SessionManager.create({ cacheDir, slots: 1 })

/** In a new session, calls a function below `depth` C frames; after an error, checks that the session still works. */
async function call(depth) {
  const session = await manager.createSession({ env: { TZ: 'Europe/Berlin' } })
  const code = `
import time
def call(_):
    time.localtime()
    return True
it = map(call, [1])
for _ in range(${depth}): it = filter(None, it)
next(it)`
  try {
    await session.execute(code)
    return 'returned'
  } catch (error) {
    const { value } = await session.execute('1 + 1')
    return `${error.name} ${error.outcome} ${error.message}, then ${value}`
  } finally {
    await session.close()
  }
}

let low = 0
let high = 50_000
do {
  low = 28_000
  while (high - low > 100) {
    const middle = (low + high) >> 1
    if ((await call(middle)) === 'returned') low = middle
    else high = middle
  }
  // Optimized code has larger frames, so fewer of them fit than before.
} while ((await call(low)) !== 'returned')

async function tell(depth) {
  const result = await call(depth)
  process.stdout.write(`${depth} ${result}\n`)
  return result
}

// From the deepest call up, so that one-time work of a thread happens with as little stack as possible: every ended slot is replaced.
let depth = high + 12
while ((await tell(depth)) !== 'returned') depth -= 24
for (let deeper = 20; deeper > 0; deeper -= 8) await tell(depth + deeper)
await manager.close()
