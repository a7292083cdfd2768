// A process as its operator sees it: four sessions try to exceed `maxMemoryBytes`, each in a different way at the same time, while four
// neighbours are called all the time. Prints the highest resident memory as JSON. Owns the attacks; its caller decides which figures are
// acceptable. `node hostile-memory.js 700 5000 memory files nodes`: the limit in MB, the time limit of
// each piece of code in ms, and the attacks
import { setTimeout as sleep } from 'node:timers/promises'
import { BrumateError, type Session, SessionManager } from 'brumate'

const MB = 1_000_000
const MiB = 2 ** 20
const maxMemoryBytes = Number(process.argv[2]) * MB
const attackMs = Number(process.argv[3])
const names = process.argv.slice(4)
/** The directory in which tests keep their image. */
const cacheDir = process.env.BRUMATE_CACHE_DIR
const HOSTILE = 4
const NEIGHBOURS = 4

const FILL = 'import os\nkept = []\nwhile True: kept.append(os.urandom(1 << 18) * 4)'

/** Each attack continues until something stops it. */
const ATTACKS: Readonly<Record<string, (session: Session) => Promise<unknown>>> = {
  memory: (session) => session.execute(FILL),
  output: async (session) => {
    for (let round = 0; round < 3; round++)
      await session
        .execute('import os\nwhile True: os.write(1, ("\\u20ac" * (1 << 18)).encode())')
        .catch(refused)
  },
  files: async (session) => {
    await session
      .execute("n = 0\nwhile True:\n  open(f'/tmp/{n}', 'wb').write(b'x' * (1 << 20)); n += 1")
      .catch(refused)
    // Small files in buffers that double in size; freed space is written again.
    const code =
      "import os\nfor f in os.listdir('/tmp'): os.remove(f'/tmp/{f}')\nn = 0\nwhile True:\n  with open(f'/tmp/{n}', 'ab', 0) as f:\n    for _ in range(33): f.write(bytes(1000))\n  n += 1"
    for (let round = 0; round < 3; round++) await session.execute(code).catch(refused)
  },
  nodes: (session) =>
    makeNodes(session, [
      "open(f'{n:0255d}', 'x').close()",
      "open(f'{n}', 'xb').write(b'x')",
      "os.mkdir(f'{n:0255d}')",
    ]),
  names: (session) =>
    makeNodes(session, [
      // A name that is part of a long path, and one that takes six times its size in a snapshot.
      "open('./' * 1900 + f'{n:0200d}', 'x').close()",
      "os.symlink('\\x01' * 4000, f'{n}')",
    ]),
  checkpoints: async (session) => {
    for (let round = 0; round < 4; round++) {
      await session
        .execute('import os\nkept = []\nfor n in range(150): kept.append(os.urandom(1 << 20))')
        .catch(refused)
      await session.snapshotState().catch(refused)
      await session.hibernate().catch(refused)
    }
  },
  values: async (session) => {
    for (let round = 0; round < 10; round++) await session.execute('bytes(60_000_000)').catch(refused)
  },
  arguments: async (session) => {
    const code =
      'import asyncio\nfor n in range(200):\n  asyncio.ensure_future(slow(x=bytes(10_000_000)))\n  await asyncio.sleep(0)'
    await session.execute(code).catch(refused)
  },
}

async function makeNodes(session: Session, ways: readonly string[]): Promise<void> {
  for (const way of ways) {
    const code = `import os\nos.mkdir('/tmp/d'); os.chdir('/tmp/d')\nn = 0\nwhile True:\n  ${way}; n += 1`
    await session.execute(code).catch(refused)
    await session.snapshotState().catch(refused)
    await session.reset()
  }
}

const untyped: string[] = []
const outcomes: Record<string, number> = {}
function refused(error: unknown): void {
  const name = error instanceof Error ? error.name : String(error)
  if (name === 'InterpreterCrashedError') console.error(String(error))
  const key = 'type' in (error as object) ? `${name} ${(error as { type: string }).type}` : name
  outcomes[key] = (outcomes[key] ?? 0) + 1
  if (!(error instanceof BrumateError)) untyped.push(String(error))
}

await using manager = await SessionManager.create({
  slots: HOSTILE + NEIGHBOURS,
  maxMemoryBytes,
  // A hostile session that has outgrown the others waits for memory that never becomes free. Neighbours wait meanwhile, but not as long.
  acquireTimeoutMs: 15_000,
  ...(cacheDir === undefined ? {} : { cacheDir }),
  limits: {
    memoryBytes: 2048 * MiB,
    fileBytes: 1024 * MiB,
    outputBytes: 256 * MiB,
    snapshotBytes: 1024 * MiB,
    executionTimeoutMs: attackMs,
    interruptGraceMs: 1_000,
  },
})
const callbacks = { slow: () => new Promise(() => {}) }
const neighbours = await Promise.all(
  Array.from({ length: NEIGHBOURS }, (_, n) => manager.createSession({ id: `neighbour-${n}` })),
)
let isOver = false
let answers = 0
let slowestMs = 0
const calling = neighbours.map(async (session) => {
  while (!isOver) {
    const startedMs = performance.now()
    const { value } = await session.execute('sum(range(1000))', { timeoutMs: 60_000 })
    if (value !== 499_500) throw new Error(`a neighbour answered ${String(value)}`)
    answers += 1
    slowestMs = Math.max(slowestMs, performance.now() - startedMs)
    await sleep(20)
  }
})

let peakRssBytes = 0
let peakUsedBytes = 0
const peaks: Record<string, number> = {}
let attack = 'start'
const sample = () => {
  const rss = process.memoryUsage.rss()
  peakRssBytes = Math.max(peakRssBytes, rss)
  peaks[attack] = Math.max(peaks[attack] ?? 0, Math.round(rss / MB))
  peakUsedBytes = Math.max(peakUsedBytes, manager.stats().memory?.usedBytes ?? 0)
}
const sampling = setInterval(sample, 5)
const startBytes = manager.stats().memory?.usedBytes

// Each session begins with a different attack, so that different attacks run at the same time.
await Promise.all(
  Array.from({ length: HOSTILE }, async (_, n) => {
    for (let at = 0; at < names.length; at++) {
      const name = names[(at + n) % names.length] ?? ''
      attack = name
      try {
        const session = await manager.createSession({ callbacks })
        await ATTACKS[name]?.(session).catch(refused)
        await session.close()
      } catch (error) {
        refused(error)
      }
    }
  }),
)
await sleep(300)
clearInterval(sampling)
isOver = true
await Promise.all(calling)
const { memory, counters } = manager.stats()
console.log(
  JSON.stringify({
    peakRssMb: Math.round(peakRssBytes / MB),
    peakUsedMb: Math.round(peakUsedBytes / MB),
    peaks,
    answers,
    slowestMs: Math.round(slowestMs),
    outcomes,
    untyped,
    counters,
    startBytes,
    memory,
  }),
)
