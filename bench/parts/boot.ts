// Time from the start of a worker to its first Python result: for one slot, for sixteen at once, and for a whole new process.
// Slots are started through the pool itself, because a manager starts them ahead of need, which hides their cost.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openImage } from '../../src/image/open.js'
import { encodePlain } from '../../src/shared/values/encode.js'
import { SlotPool } from '../../src/slots/pool.js'
import type { Slot } from '../../src/slots/slot.js'
import { PlainPyodide } from '../baselines/pyodide.js'
import { NativePython } from '../baselines/python.js'
import type { Runner } from '../baselines/runner.js'
import type { Context } from '../context.js'
import { median, samplesMs } from '../measure.js'
import type { Row } from '../report.js'

type Image = Awaited<ReturnType<typeof openImage>>

const ROUNDS = 5
const SLOT_BOOTS_A_ROUND = 5
const AT_ONCE = 16

export async function boot({ python, progress }: Context): Promise<Row[]> {
  const image = await openImage()
  // Alternates between the two, so that other load on the machine affects both.
  const slotMs: number[] = []
  const plainMs: number[] = []
  const atOnceMs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    progress(`  boot: round ${round + 1} of ${ROUNDS}`)
    plainMs.push(await firstResultMs(() => new PlainPyodide()))
    slotMs.push(...(await times(SLOT_BOOTS_A_ROUND, () => bootSlotsMs(image, 1))))
    atOnceMs.push(await bootSlotsMs(image, AT_ONCE))
  }
  const pythonMs = python ? await times(9, () => firstResultMs(() => new NativePython(python))) : undefined
  progress('  boot: new processes')
  const process1 = await samplesMs(5, () => child('first-session.js'))
  const process2 = await samplesMs(3, () => child('first-pyodide.js'))

  const plain = median(plainMs)
  const slot = median(slotMs)
  const atOnce = median(atOnceMs)
  const native = pythonMs ? { python: median(pythonMs) } : {}
  return [
    {
      metric: 'boot, worker start to first result',
      unit: 'ms',
      brumate: slot,
      pyodide: plain,
      ...native,
      floor: { text: '≤ 1/20', met: slot <= plain / 20 },
    },
    {
      metric: `boot, ${AT_ONCE} at once against one plain Pyodide`,
      unit: 'ms',
      brumate: atOnce,
      pyodide: plain,
      floor: { text: '≤ 1', met: atOnce <= plain },
    },
    {
      metric: 'new process to first result, process end included',
      unit: 'ms',
      brumate: median(process1),
      pyodide: median(process2),
    },
  ]
}

/** Time from an opened image to a result of every slot, including the creation of the thread pool. */
export async function bootSlotsMs(image: Image, count: number): Promise<number> {
  const startedMs = performance.now()
  const pool = new SlotPool([image], { slots: count, maxQueued: count, acquireTimeoutMs: 60_000 })
  await Promise.all(
    Array.from({ length: count }, async (_, i) =>
      firstResult(await pool.acquire({ tenant: `tenant-${i}`, imageId: image.id })),
    ),
  )
  const durationMs = performance.now() - startedMs
  await pool.close()
  return durationMs
}

async function firstResult(slot: Slot): Promise<void> {
  const session = encodePlain({ env: {}, callbacks: [] }, 'session')
  const limits = { memoryBytes: null, outputBytes: null, resultBytes: null, fileBytes: null }
  const { releasedBytes } = slot.leaseCredit()
  await slot.call('attach', [{ limits, timeZone: 'UTC', session, mount: null, releasedBytes, heldBytes: 0 }])
  const request = {
    id: slot.nextCallId(),
    executionCount: 1,
    code: '1 + 1',
    liveStdout: false,
    liveStderr: false,
  }
  const reply = await slot.call('execute', [request])
  if (reply.kind !== 'outcome') throw new Error(`the first execution came to ${reply.kind}`)
}

async function firstResultMs(start: () => Runner): Promise<number> {
  const startedMs = performance.now()
  const runner = start()
  await runner.run('1 + 1')
  const durationMs = performance.now() - startedMs
  await runner.stop()
  return durationMs
}

async function times(count: number, sample: () => Promise<number>): Promise<number[]> {
  const samples: number[] = []
  for (let i = 0; i < count; i++) samples.push(await sample())
  return samples
}

async function child(name: string): Promise<void> {
  const path = fileURLToPath(new URL(`../children/${name}`, import.meta.url))
  await promisify(execFile)(process.execPath, [path])
}
