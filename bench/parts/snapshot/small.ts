// The size of a small session's snapshot, what temporaries and imports add to it, and how long capturing and restoring it take:
// in another slot that is ready, and in the session's own. The baseline is pickle (baselines/pickle.ts).
import { SessionManager, type Snapshot } from 'brumate'
import { PickledGlobals } from '../../baselines/pickle.js'
import { expectEqual, median, until } from '../../measure.js'
import type { Row } from '../../report.js'
import { expectSmall, KB, SMALL, warmSamplesMs } from './session.js'

const FIFTY_CELLS = Array.from(
  { length: 50 },
  (_, n) => `z = [i * ${n} for i in range(1000)]\ns = 'a' * ${100 + n}`,
)
/** Ten modules that are not in the image. */
const MODULES = [
  ...['configparser', 'email.message', 'html.parser', 'mimetypes', 'plistlib'],
  ...['sched', 'shlex', 'tarfile', 'tomllib', 'xml.etree.ElementTree'],
]

export async function smallRows(): Promise<Row[]> {
  await using manager = await SessionManager.create({ slots: 2 })
  await using session = await manager.createSession({ checkpoint: 'manual' })
  await session.execute(SMALL)
  const captureMs = await warmSamplesMs(() => session.snapshotState())
  const taken = await session.snapshotState()
  const otherSlotMs = await warmSamplesMs(
    () => session.restoreState(taken),
    // The session's previous slot is renewed, and used for the next restore.
    () => until(() => manager.stats().slots.ready + manager.stats().slots.parked > 0),
  )
  await expectSmall(session)
  const inPlaceMs = await inPlace(taken)
  const pickled = await PickledGlobals.after(SMALL)
  const pickleMs = median(await warmSamplesMs(() => pickled.save()))
  const unpickleMs = median(await warmSamplesMs(() => pickled.load()))
  const lost = await pickled.load()
  const note = `plain Pyodide: pickle of each global, read by a second interpreter, which did not get: ${lost}`
  await pickled.stop()
  const [capture, other, place] = [median(captureMs), median(otherSlotMs), median(inPlaceMs)]
  return [
    {
      metric: 'snapshot of a small session',
      unit: 'KB',
      brumate: taken.size / KB,
      pyodide: pickled.size / KB,
      floor: { text: '≤ 16 KB', met: taken.size <= 16 * KB },
      note,
    },
    {
      metric: 'snapshotState, small session',
      unit: 'ms',
      brumate: capture,
      pyodide: pickleMs,
      floor: { text: '≤ 8 ms', met: capture <= 8 },
    },
    {
      metric: 'restoreState, small session, warm slot',
      unit: 'ms',
      brumate: other,
      pyodide: unpickleMs,
      floor: { text: '≤ 3 ms', met: other <= 3 },
    },
    {
      metric: 'restoreState, small session, in place',
      unit: 'ms',
      brumate: place,
      pyodide: unpickleMs,
      note: "no slot is free: the session's own is made the image again first",
    },
  ]
}

/** Restores in the session's own slot, because there is no other. */
async function inPlace(taken: Snapshot): Promise<number[]> {
  await using manager = await SessionManager.create({ slots: 1 })
  await using session = await manager.createSession({ checkpoint: 'manual' })
  const samples = await warmSamplesMs(
    () => session.restoreState(taken),
    () => session.execute('counter = None'),
  )
  await expectSmall(session)
  return samples
}

export async function leftoverRows(): Promise<Row[]> {
  await using manager = await SessionManager.create({ slots: 3 })
  const cases = [
    { metric: 'snapshot after fifty cells of temporaries', cells: FIFTY_CELLS, kilobytes: 32 },
    {
      metric: 'snapshot after a list of 300,000 ints, deleted',
      cells: ['numbers = list(range(300_000))', 'del numbers'],
      kilobytes: 32,
    },
    {
      metric: 'snapshot after importing ten modules',
      cells: [
        `import sys\nloaded = set(${JSON.stringify(MODULES)}) & set(sys.modules)`,
        `import ${MODULES.join(', ')}`,
      ],
      kilobytes: 1000,
      check: 'len(loaded)',
      note: `not in the image: ${MODULES.join(', ')}`,
    },
  ]
  const rows: Row[] = []
  for (const { metric, cells, kilobytes, check, note } of cases) {
    await using session = await manager.createSession({ checkpoint: 'manual' })
    for (const cell of [SMALL, ...cells]) await session.execute(cell)
    if (check) expectEqual((await session.execute(check)).value, 0, 'modules that the image has')
    const { size } = await session.snapshotState()
    const floor = { text: `≤ ${kilobytes.toLocaleString('en')} KB`, met: size <= kilobytes * KB }
    rows.push({ metric, unit: 'KB', brumate: size / KB, floor, ...(note ? { note } : {}) })
  }
  return rows
}
