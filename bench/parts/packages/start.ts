// Time from the start of a process to the first result of pandas, with an image built before, and in a plain Pyodide. Alternates.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Image } from 'brumate'
import { median, timeMs } from '../../measure.js'
import type { Row } from '../../report.js'
import type { PandasImage } from './pandas-image.js'

const ROUNDS = 3

export async function firstUseRows({ wheels, file }: PandasImage): Promise<Row[]> {
  const brumateMs: number[] = []
  const pyodideMs: number[] = []
  const openMs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    pyodideMs.push(await childMs('first-pandas-pyodide.js', wheels))
    brumateMs.push(await childMs('first-pandas.js', file))
    openMs.push(await timeMs(() => Image.load(file)))
  }
  const [brumate, pyodide] = [median(brumateMs), median(pyodideMs)]
  return [
    {
      metric: 'new process to first result of pandas',
      unit: 'ms',
      brumate,
      pyodide,
      floor: { text: '≤ 1/4', met: brumate <= pyodide / 4 },
    },
    { metric: 'opening the image with pandas', unit: 'ms', brumate: median(openMs) },
  ]
}

function childMs(name: string, argument: string): Promise<number> {
  const path = fileURLToPath(new URL(`../../children/${name}`, import.meta.url))
  return timeMs(() => promisify(execFile)(process.execPath, [path, argument]))
}
