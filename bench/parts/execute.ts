// The cost of a minimal execution: round trip from the caller's thread and back.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { SessionManager } from 'brumate'
import { PlainPyodide } from '../baselines/pyodide.js'
import { NativePython } from '../baselines/python.js'
import type { Runner } from '../baselines/runner.js'
import type { Context } from '../context.js'
import { median, samplesMs } from '../measure.js'
import type { Row } from '../report.js'

/** V8 compiles hot code, so the first executions are not typical of a session. */
const WARM_UP = 2_000
const ROUNDS = 3_000
const CODE = 'x = 1'

export async function execute({ python }: Context): Promise<Row[]> {
  await using manager = await SessionManager.create({ slots: 1 })
  await using session = await manager.createSession()
  const first = await samplesMs(1, () => session.execute(CODE))
  const brumate = await roundTripMs(() => session.execute(CODE))
  const getMs = await roundTripMs(() => session.get('x'))
  const setMs = await roundTripMs(() => session.set('x', 1))
  const native = python ? { python: await runnerMs(new NativePython(python)) } : {}
  return [
    {
      metric: "execute('x = 1')",
      unit: 'ms',
      brumate,
      pyodide: await runnerMs(new PlainPyodide()),
      ...native,
      floor: { text: '≤ 0.15 ms', met: brumate <= 0.15 },
    },
    {
      metric: "execute('x = 1'), first of a session",
      unit: 'ms',
      brumate: median(first),
      note: 'one sample',
    },
    { metric: 'a message to a bare worker and back', unit: 'ms', brumate: await echoMs() },
    { metric: "get('x')", unit: 'ms', brumate: getMs },
    { metric: "set('x', 1)", unit: 'ms', brumate: setMs },
  ]
}

async function roundTripMs(task: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < WARM_UP; i++) await task()
  return median(await samplesMs(ROUNDS, task))
}

/** The machine's own time for waking a thread and being woken: nothing that talks to a worker can be faster. */
async function echoMs(): Promise<number> {
  const echo = `const { parentPort } = require('node:worker_threads')
    parentPort.on('message', (message) => parentPort.postMessage(message))`
  const worker = new Worker(echo, { eval: true })
  const echoed = await roundTripMs(() => {
    worker.postMessage(CODE)
    return once(worker, 'message')
  })
  await worker.terminate()
  return echoed
}

async function runnerMs(runner: Runner): Promise<number> {
  try {
    return await roundTripMs(() => runner.run(CODE))
  } finally {
    await runner.stop()
  }
}
