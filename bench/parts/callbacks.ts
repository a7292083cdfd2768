// The cost of a host call, and of saving and resuming an execution in the middle of one. For comparison, the same round trip
// without brumate: a plain worker that asks the main thread over postMessage.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type Callbacks, SessionManager, Snapshot } from 'brumate'
import { expectEqual, median, samplesMs } from '../measure.js'
import type { Row } from '../report.js'

/** For three sessions at most, and a warm slot for the one that is resumed. */
const SLOTS = 4
const ROUNDS = 12
const CALLS = 300
const AT_ONCE = 1000
/** V8 compiles hot code, on the main thread and in each slot, so the first rounds are not typical of a server. */
const FIRST_FREEZES = 15
const FREEZES = 30
const MOST_KB = 100

const tools: Callbacks = {
  add: ({ a, b }) => a + b,
  approve: (_, { suspend }) => suspend('needs human approval'),
}

/** As in examples/approval.ts: three tools at once, one of which waits for a human. */
const APPROVAL = `
import asyncio
async def refund(order):
    price, count, approved = await asyncio.gather(add(a=order, b=1), add(a=1, b=2), approve(order=order))
    return [price, count, approved]
await refund(1204)`

export async function callbacks(): Promise<Row[]> {
  await using manager = await SessionManager.create({ slots: SLOTS })
  await using session = await manager.createSession({
    callbacks: tools,
    limits: { callbackInvocations: null },
  })
  const each = async (code: string, count: number) => {
    await samplesMs(3, () => session.execute(code))
    return median(await samplesMs(ROUNDS, () => session.execute(code))) / count
  }
  const awaitedMs = await each(`for _ in range(${CALLS}): await add(a=1, b=1)`, CALLS)
  const syncMs = await each(
    `import brumate\nfor _ in range(${CALLS}): brumate.call_sync('add', a=1, b=1)`,
    CALLS,
  )
  const gatherMs = await each(
    `import asyncio\nlen(await asyncio.gather(*[add(a=i, b=1) for i in range(${AT_ONCE})]))`,
    1,
  )
  return [
    {
      metric: 'one awaited callback, round trip',
      unit: 'ms',
      brumate: awaitedMs,
      floor: { text: '≤ 0.25 ms', met: awaitedMs <= 0.25 },
    },
    { metric: 'one call of a plain worker to the main thread', unit: 'ms', brumate: await plainMs() },
    {
      metric: `${AT_ONCE} callbacks in one gather`,
      unit: 'ms',
      brumate: gatherMs,
      floor: { text: '≤ 60 ms', met: gatherMs <= 60 },
    },
    {
      metric: 'one call_sync',
      unit: 'ms',
      brumate: syncMs,
      floor: { text: '≤ 0.3 ms', met: syncMs <= 0.3 },
    },
    ...(await freezing(manager)),
  ]
}

async function freezing(manager: SessionManager): Promise<Row[]> {
  const freezesMs: number[] = []
  const thawsMs: number[] = []
  const sizes: number[] = []
  for (let round = -FIRST_FREEZES; round < FREEZES; round++) {
    await using session = await manager.createSession({
      tenant: 'bench',
      callbacks: tools,
      checkpoint: 'manual',
    })
    const [call] = (await session.execute(APPROVAL)).pending
    const startedMs = performance.now()
    const bytes = (await session.snapshotState()).toBytes()
    const frozenMs = performance.now() - startedMs
    await using other = await manager.createSession({
      tenant: 'bench',
      callbacks: tools,
      checkpoint: 'manual',
    })
    const thawedMs = performance.now()
    await other.restoreState(Snapshot.fromBytes(bytes))
    const { value } = await other.resume({ results: { [call?.id ?? '']: true } })
    const resumedMs = performance.now() - thawedMs
    expectEqual(JSON.stringify(value), '[1205,3,true]', 'the thawed approval')
    if (round < 0) continue
    freezesMs.push(frozenMs)
    thawsMs.push(resumedMs)
    sizes.push(bytes.length)
  }
  const kb = median(sizes) / 1000
  const [freezeMs, thawMs] = [median(freezesMs), median(thawsMs)]
  return [
    {
      metric: 'freeze in the middle of an await',
      unit: 'ms',
      brumate: freezeMs,
      floor: { text: '≤ 10 ms', met: freezeMs <= 10 },
    },
    {
      metric: 'a frozen execution',
      unit: 'KB',
      brumate: kb,
      floor: { text: `≤ ${MOST_KB} KB`, met: kb <= MOST_KB },
    },
    {
      metric: 'thaw it on a warm slot, resume, and complete',
      unit: 'ms',
      brumate: thawMs,
      floor: { text: '≤ 5 ms', met: thawMs <= 5 },
    },
  ]
}

/** The lower bound for any request to the main thread: a round trip without Python. */
async function plainMs(): Promise<number> {
  const code = `const { parentPort } = require('node:worker_threads')
    parentPort.on('message', async (count) => {
      if (count === undefined) return
      for (let n = 0; n < count; n++) {
        parentPort.postMessage({ name: 'add', a: 1, b: 1 })
        await new Promise((resolve) => parentPort.once('message', resolve))
      }
      parentPort.postMessage('done')
    })`
  const worker = new Worker(code, { eval: true })
  const samples = await samplesMs(ROUNDS, async () => {
    worker.postMessage(CALLS)
    for (;;) {
      const [message] = await once(worker, 'message')
      if (message === 'done') return
      worker.postMessage(undefined)
    }
  })
  await worker.terminate()
  return median(samples) / CALLS
}
