// What packages cost sessions that do not use them: booting a slot, creating a session on a warm one, a snapshot of a small session.
// Alternates with the standard image.
import { SessionManager } from 'brumate'
import { loadImageFile } from '../../../src/image/load-file.js'
import { openImage } from '../../../src/image/open.js'
import { median } from '../../measure.js'
import type { Row } from '../../report.js'
import { bootSlotsMs } from '../boot.js'
import { createOnWarmSlotMs } from '../create.js'
import type { PandasImage } from './pandas-image.js'

const BOOTS = 15
const SESSIONS = 40
const SLOTS = 3
const KB = 1000
const SMALL = "x = [1, 2, 3]\nname = 'a session'\ndef double(n):\n    return 2 * n"

export async function slotRows({ file, image }: PandasImage): Promise<Row[]> {
  const images = [await openImage(), await loadImageFile(file)] as const
  const boots: [number[], number[]] = [[], []]
  for (let i = 0; i < BOOTS; i++)
    for (const which of [0, 1] as const) boots[which].push(await bootSlotsMs(images[which], 1))

  await using standard = await SessionManager.create({ slots: SLOTS })
  await using withPandas = await SessionManager.create({ slots: SLOTS, image })
  const creates: [number[], number[]] = [[], []]
  for (let i = 0; i < SESSIONS; i++) {
    creates[0].push(await createOnWarmSlotMs(standard))
    creates[1].push(await createOnWarmSlotMs(withPandas))
  }

  await using session = await withPandas.createSession({ checkpoint: 'manual' })
  await session.execute(SMALL)
  const { size } = await session.snapshotState()
  await session.execute("import pandas as pd\nframe = pd.DataFrame({'a': [1, 2, 3]})\nframe.sum()")
  const used = await session.snapshotState()
  return [
    besideStandard('boot of a slot with pandas', boots, 2.5),
    besideStandard('createSession with pandas, warm slot', creates, 2),
    {
      metric: 'snapshot of a small session, pandas preloaded',
      unit: 'KB',
      brumate: size / KB,
      floor: { text: '≤ 64 KB', met: size <= 64 * KB },
    },
    { metric: 'the same after a small frame', unit: 'KB', brumate: used.size / KB },
  ]
}

function besideStandard(metric: string, [standardMs, pandasMs]: [number[], number[]], most: number): Row {
  const [standard, brumate] = [median(standardMs), median(pandasMs)]
  return {
    metric,
    unit: 'ms',
    brumate,
    floor: { text: `≤ ${most} × standard`, met: brumate <= most * standard },
    note: `the standard image: ${standard.toPrecision(3)} ms, ${(brumate / standard).toFixed(2)} ×`,
  }
}
