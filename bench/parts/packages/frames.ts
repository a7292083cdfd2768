// How fast frames of a hundred megabytes are captured, and restored in a ready slot: random numbers, which do not compress, and
// integers and text, which do. Megabytes are those of the frame's arrays.
import { SessionManager } from 'brumate'
import { expectEqual, median, samplesMs, timeMs, until } from '../../measure.js'
import type { Row } from '../../report.js'
import type { PandasImage } from './pandas-image.js'

const MB = 1e6
const ROUNDS = 7
const FLOOR = 300
const FRAMES = [
  {
    data: 'random floats',
    code: 'frame = pd.DataFrame(np.random.default_rng(1).random((1_250_000, 10)))',
    mark: 'float(frame.to_numpy().sum())',
  },
  {
    data: 'integers and text',
    code: `
generator = np.random.default_rng(1)
rows = 3_000_000
words = np.array(['alpha', 'beta', 'gamma', 'delta'], dtype=object)
frame = pd.DataFrame({
    'id': np.arange(rows),
    'group': generator.integers(0, 1000, rows),
    'count': generator.poisson(20, rows),
    'total': generator.integers(0, 10**9, rows),
    'word': generator.choice(words, rows),
})
del generator`,
    mark: "int(frame['total'].sum())",
  },
]

export async function frameRows({ image }: PandasImage): Promise<Row[]> {
  const rows: Row[] = []
  for (const { data, code, mark } of FRAMES) {
    await using manager = await SessionManager.create({ slots: 2, image })
    await using session = await manager.createSession({
      checkpoint: 'manual',
      limits: { memoryBytes: null, snapshotBytes: null },
    })
    await session.execute('import numpy as np, pandas as pd')
    await session.execute(code)
    const before = await session.execute(mark)
    const { value: bytes } = await session.execute('int(frame.memory_usage().sum())')
    if (typeof bytes !== 'number') throw new Error(`the size of a frame is ${String(bytes)}`)
    const captureMs = median(await samplesMs(ROUNDS, () => session.snapshotState()))
    const taken = await session.snapshotState()
    const restores: number[] = []
    for (let i = 0; i < ROUNDS; i++) {
      // A slot whose memory has grown is not reused: another one boots after each restore.
      await until(() => manager.stats().slots.ready > 0)
      restores.push(await timeMs(() => session.restoreState(taken)))
    }
    expectEqual((await session.execute(mark)).repr, before.repr, data)
    const rate = (durationMs: number) => bytes / MB / (durationMs / 1000)
    const [capture, restore] = [rate(captureMs), rate(median(restores))]
    const size = `${Math.round(bytes / MB)} MB`
    rows.push(
      {
        metric: `snapshotState, frame of ${size}, ${data}`,
        unit: 'MB per s',
        brumate: capture,
        floor: { text: `≥ ${FLOOR} MB/s`, met: capture >= FLOOR },
      },
      {
        metric: `restoreState, frame of ${size}, ${data}`,
        unit: 'MB per s',
        brumate: restore,
        floor: { text: `≥ ${FLOOR} MB/s`, met: restore >= FLOOR },
      },
      { metric: `snapshot, frame of ${size}, ${data}`, unit: 'MB', brumate: taken.size / MB },
    )
  }
  return rows
}
