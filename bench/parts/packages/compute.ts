// Do numpy and pandas run as fast in a session as in a plain Pyodide with the same wheels? Alternates between both, as compute.ts does.
import { SessionManager } from 'brumate'
import { PlainPyodide } from '../../baselines/pyodide.js'
import type { Row } from '../../report.js'
import { geometricMean, type Program, programRows } from '../compute.js'
import type { PandasImage } from './pandas-image.js'

const SET_UP = `
import numpy as np, pandas as pd

generator = np.random.default_rng(1)
a, b = generator.random((300, 300)), generator.random((300, 300))
numbers = generator.random(1_000_000)
small = np.arange(100.0)
rows = 200_000
frame = pd.DataFrame({'key': generator.integers(0, 1000, rows), 'value': generator.random(rows)})
names = pd.DataFrame({'key': np.arange(1000), 'name': [f'name {i}' for i in range(1000)]})

def ufuncs():
    for _ in range(4): np.sqrt(np.exp(numbers) + numbers * 2).sum()

def small_ufuncs(n):
    total = small
    for _ in range(n): total = np.add(total, small)
    return total

def loops(n):
    total = 0
    for i in range(n):
        total += i * i % 7
    return total
`

const PROGRAMS: readonly Program[] = [
  { metric: 'numpy: product of matrices', code: 'for _ in range(3): a @ b' },
  { metric: 'numpy: sort', code: 'np.sort(numbers).shape' },
  { metric: 'numpy: ufuncs of 1,000,000', code: 'ufuncs()' },
  { metric: 'numpy: ufuncs of 100', code: 'small_ufuncs(50_000).shape' },
  {
    metric: 'pandas: groupby',
    code: "for _ in range(10): frame.groupby('key')['value'].agg(['mean', 'max'])",
  },
  { metric: 'pandas: merge', code: "for _ in range(4): len(frame.merge(names, on='key'))" },
  { metric: 'loops beside numpy', code: 'loops(1_000_000)' },
]

export async function computeRows({ image, wheels }: PandasImage): Promise<Row[]> {
  await using manager = await SessionManager.create({ slots: 1, image })
  await using session = await manager.createSession({ checkpoint: 'manual' })
  const plain = new PlainPyodide({ directory: wheels, names: ['pandas'] })
  await Promise.all([session.execute(SET_UP), plain.run(SET_UP)])
  const rows = await programRows(PROGRAMS, session, plain, undefined, () => {})
  await plain.stop()
  return [...rows, geometricMean(rows, 'geometric mean of numpy and pandas')]
}
