// The resident memory of one more session with pandas in its image: compares a process with few and one with more of them.

import type { Row } from '../../report.js'
import { residentBytes } from '../memory.js'
import type { PandasImage } from './pandas-image.js'

const MiB = 2 ** 20

export async function memoryRows({ file }: PandasImage): Promise<Row[]> {
  const [one, five] = [await residentBytes('brumate', 1, file), await residentBytes('brumate', 5, file)]
  return [
    {
      metric: 'resident memory per further session with pandas',
      unit: 'MiB',
      brumate: (five - one) / 4 / MiB,
    },
    { metric: 'resident memory of a process with one', unit: 'MiB', brumate: one / MiB },
  ]
}
