// The cost of a call in a large session that changes little, with `durability: 'checkpoint'` and a DirectoryStore: with the store's deltas,
// and with the same store without them. Two sessions take turns, so that other load affects both.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DirectoryStore, SessionManager, type SnapshotStore } from 'brumate'
import type { Context } from '../context.js'
import { expectEqual, median, timeMs } from '../measure.js'
import type { Row } from '../report.js'

const STATE_BYTES = 10_000_000
const CALLS = 100
const KB = 1000

export async function deltas({ progress }: Context): Promise<Row[]> {
  progress('  deltas: a counter beside 10 MB of random bytes')
  const directory = await mkdtemp(join(tmpdir(), 'brumate-deltas-'))
  try {
    const [withDeltas, without] = [
      await measured(new DirectoryStore(join(directory, 'deltas')), true),
      await measured(new DirectoryStore(join(directory, 'whole')), false),
    ]
    try {
      for (let i = 0; i < CALLS; i++) for (const one of [withDeltas, without]) await one.call()
      const [deltaMs, wholeMs] = [median(withDeltas.durationsMs), median(without.durationsMs)]
      const [deltaBytes, wholeBytes] = [withDeltas.bytes() / CALLS, without.bytes() / CALLS]
      for (const one of [withDeltas, without]) expectEqual(await one.counter(), CALLS, 'the counter')
      const what = `'n += 1' beside 10 MB, stored after each call`
      return [
        {
          metric: what,
          unit: 'ms',
          brumate: deltaMs,
          floor: { text: '< without deltas', met: deltaMs < wholeMs },
          note: `without deltas ${wholeMs.toFixed(1)} ms`,
        },
        {
          metric: `${what}: written`,
          unit: 'KB',
          brumate: deltaBytes / KB,
          floor: { text: '≤ 1/20 of without', met: deltaBytes <= wholeBytes / 20 },
          note: `a mean, with a whole snapshot after each 32 deltas; without deltas ${Math.round(wholeBytes / KB)} KB`,
        },
      ]
    } finally {
      await withDeltas.end()
      await without.end()
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function measured(inner: DirectoryStore, hasDeltas: boolean) {
  let bytes = 0
  const store: SnapshotStore = {
    get: (id) => inner.get(id),
    put: (id, snapshot, record, options) => {
      bytes += snapshot?.length ?? 0
      return inner.put(id, snapshot, record, options)
    },
    delete: (id, options) => inner.delete(id, options),
    list: (options) => inner.list(options),
    ...(hasDeltas && {
      putDelta: async (id, delta, record, options) => {
        const written = await inner.putDelta(id, delta, record, options)
        if (written !== 'whole')
          for (const part of delta.parts) bytes += part instanceof Uint8Array ? part.length : 0
        return written
      },
    }),
  }
  const manager = await SessionManager.create({ store, durability: 'checkpoint', slots: 1 })
  const session = await manager.createSession({ id: 'large' })
  await session.execute(`import random; large = random.randbytes(${STATE_BYTES}); n = 0`)
  bytes = 0
  const durationsMs: number[] = []
  return {
    durationsMs,
    bytes: () => bytes,
    call: async () => void durationsMs.push(await timeMs(() => session.execute('n += 1'))),
    /** The counter, as another manager reads it. */
    counter: async () => {
      await session.close()
      const opened = await manager.openSession('large')
      return await opened.get('n')
    },
    end: () => manager.close(),
  }
}
