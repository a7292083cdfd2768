// How fast fifty megabytes are captured, and restored in a ready slot, and their size: bytes that do not compress, and small
// objects. Megabytes are of the interpreter's memory.
import { SessionManager } from 'brumate'
import { PickledGlobals } from '../../baselines/pickle.js'
import { expectEqual, median, samplesMs, timeMs, until } from '../../measure.js'
import type { Row } from '../../report.js'
import { KB } from './session.js'

const MB = 1e6
const LARGE_ROUNDS = 5
const LARGE_BYTES = 50 * MB
/** An int takes 24 bytes of memory, and its entry in the list 4. */
const LARGE = [
  {
    data: 'random bytes',
    code: `import os\ndata = os.urandom(${LARGE_BYTES})`,
    mark: 'hash(data)',
    compressible: false,
  },
  {
    data: 'a list of integers',
    code: `data = list(range(${Math.round(LARGE_BYTES / 28)}))`,
    mark: 'sum(data)',
    compressible: true,
  },
]

export async function largeRows(): Promise<Row[]> {
  const rows: Row[] = []
  for (const large of LARGE) rows.push(...(await rowsOf(large)))
  return rows
}

async function rowsOf({ data, code, mark, compressible }: (typeof LARGE)[number]): Promise<Row[]> {
  await using manager = await SessionManager.create({ slots: 2 })
  await using session = await manager.createSession({ checkpoint: 'manual' })
  await session.execute(code)
  const before = await session.execute(mark)
  const captureMs = median(await samplesMs(LARGE_ROUNDS, () => session.snapshotState()))
  const taken = await session.snapshotState()
  const restores: number[] = []
  for (let i = 0; i < LARGE_ROUNDS; i++) {
    // A slot whose memory has grown is not reused: another one boots after each restore.
    await until(() => manager.stats().slots.ready > 0)
    restores.push(await timeMs(() => session.restoreState(taken)))
  }
  const restoreMs = median(restores)
  expectEqual((await session.execute(mark)).repr, before.repr, data)
  const pickled = await PickledGlobals.after(code)
  const pickleMs = median(await samplesMs(LARGE_ROUNDS, () => pickled.saveInPlace()))
  const unpickleMs = median(await samplesMs(LARGE_ROUNDS, () => pickled.loadInPlace()))
  await pickled.stop()
  const rate = (durationMs: number) => LARGE_BYTES / MB / (durationMs / 1000)
  const [capture, restore] = [rate(captureMs), rate(restoreMs)]
  const note = 'plain Pyodide: pickle within one interpreter, bytes not moved out of it'
  const rows: Row[] = [
    {
      metric: `snapshotState, 50 MB, ${data}`,
      unit: 'MB per s',
      brumate: capture,
      pyodide: rate(pickleMs),
      floor: { text: '≥ 300 MB/s', met: capture >= 300 },
      note,
    },
    {
      metric: `restoreState, 50 MB, ${data}`,
      unit: 'MB per s',
      brumate: restore,
      pyodide: rate(unpickleMs),
      floor: { text: '≥ 300 MB/s', met: restore >= 300 },
    },
  ]
  const size = { metric: `snapshot, 50 MB, ${data}`, unit: 'KB', brumate: taken.size / KB } as const
  const floor = { text: '≤ 50,500 KB', met: taken.size <= 1.01 * LARGE_BYTES }
  return [...rows, compressible ? size : { ...size, floor }]
}
