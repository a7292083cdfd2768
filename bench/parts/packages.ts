// Compares an image with pandas to a plain Pyodide that loads the same wheels, and to the standard image. Owns the steps and the image;
// each step is a file in packages/. BRUMATE_WHEELS must name a directory of wheels with `pyodide-lock.json`; otherwise there are no rows.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Image } from 'brumate'
import type { Context } from '../context.js'
import type { Row } from '../report.js'
import { computeRows } from './packages/compute.js'
import { frameRows } from './packages/frames.js'
import { memoryRows } from './packages/memory.js'
import { slotRows } from './packages/slots.js'
import { firstUseRows } from './packages/start.js'

const STEPS = [
  { name: 'first use', rows: firstUseRows },
  { name: 'slots', rows: slotRows },
  { name: 'resident memory', rows: memoryRows },
  { name: 'a frame of 100 MB', rows: frameRows },
  { name: 'computing', rows: computeRows },
]

export async function packages({ progress }: Context): Promise<Row[]> {
  const directory = process.env.BRUMATE_WHEELS
  if (directory === undefined) {
    progress('  packages: left out, because BRUMATE_WHEELS does not name a directory of wheels')
    return []
  }
  const wheels = resolve(directory)
  const folder = await mkdtemp(join(tmpdir(), 'brumate-bench-'))
  try {
    progress('  packages: building the image')
    const built = await Image.build({ packages: ['pandas'], wheels, indexUrl: null })
    const file = join(folder, 'pandas.image')
    await built.save(file)
    const rows: Row[] = []
    for (const step of STEPS) {
      progress(`  packages: ${step.name}`)
      rows.push(...(await step.rows({ wheels, file, image: built })))
    }
    return rows
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
