// numpy and pandas, from the same wheels in brumate and in plain Pyodide.
import type { Group } from '../group.js'
import { type Measured, repeated } from '../samples.js'

const WARM_UP = 2
const COUNT = 4
const SET_UP = `
import numpy as np, pandas as pd
generator = np.random.default_rng(1)
a, b = generator.random((300, 300)), generator.random((300, 300))
numbers = generator.random(1_000_000)
frame = pd.DataFrame({'key': generator.integers(0, 1000, 200_000), 'value': generator.random(200_000)})`
const PROGRAMS = [
  { id: 'product', title: 'numpy: product of matrices', code: 'for _ in range(3): a @ b' },
  { id: 'sort', title: 'numpy: sort', code: 'np.sort(numbers).shape' },
  { id: 'ufuncs', title: 'numpy: ufuncs of 1,000,000', code: 'np.sqrt(np.exp(numbers) + numbers * 2).sum()' },
  {
    id: 'groupby',
    title: 'pandas: groupby',
    code: "for _ in range(5): frame.groupby('key')['value'].agg(['mean', 'max'])",
  },
]

export const packages: Group = {
  name: 'packages',
  title: 'numpy and pandas',
  rounds: 2,
  packages: true,
  rows: [
    { id: 'first', title: 'a session, and its import of pandas', unit: 'ms', state: 'cold' },
    ...PROGRAMS.map(({ id, title }) => ({ id, title, unit: 'ms', state: 'warm' }) as const),
  ],
  async measure(peer, samples) {
    const sum = { sum: 'first' }
    await samples.take(peer, [
      { do: 'create', session: 'analyst', ...sum },
      { do: 'execute', session: 'analyst', code: 'import pandas', ...sum },
    ])
    for (const { id, code } of PROGRAMS)
      await samples.take(peer, [
        { do: 'execute', session: 'analyst', code: SET_UP },
        ...repeated<Measured>(WARM_UP + COUNT, (n) => [
          { do: 'execute', session: 'analyst', code, ...(n < WARM_UP ? {} : { as: id }) },
        ]),
      ])
  },
}
