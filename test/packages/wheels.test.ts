// Real packages in real sessions: an analysis, frozen and thawed in another slot after every step.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Session, SessionManager } from 'brumate'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { imageKey, openImage } from '../image/built.js'
import { WHEELS } from '../linker/support/wheels.js'
import { openManager } from '../support/manager.js'
import { wheelsOf } from './support/real-wheels.js'

const { buildPackageImage } = (await import(
  new URL('../../dist/src/image/build-packages.js', import.meta.url).href
)) as typeof import('../../src/image/build-packages.js')

const PACKAGES = [
  ...['numpy', 'pandas', 'matplotlib', 'scipy', 'scikit-learn'],
  ...['lxml', 'pillow', 'pydantic', 'openpyxl', 'sympy'],
]
const PRELOAD = ['numpy', 'pandas', 'matplotlib.pyplot']

/** Each step's code, and what it says. */
const STEPS: readonly (readonly [code: string, repr: string])[] = [
  [
    `import io, numpy as np, pandas as pd
rows = 20_000
random = np.random.default_rng(7)
text = pd.DataFrame({'shop': random.integers(0, 5, rows), 'when': pd.date_range('2026-01-01', periods=rows, freq='min'),
                     'sales': np.arange(rows) % 97}).to_csv(index=False)
reader = pd.read_csv(io.StringIO(text), parse_dates=['when'], chunksize=8_000)
first = next(reader)
len(first)`,
    '8000',
  ],
  ['frame = pd.concat([first, *reader]); (len(frame), int(frame.sales.sum()))', '(20000, 959289)'],
  [
    `by_shop = frame.groupby('shop').sales.sum()
joined = frame.merge(pd.DataFrame({'shop': range(5), 'town': list('abcde')}), on='shop')
days = joined.set_index('when').resample('D').sales.sum()
(int(by_shop.sum()), sorted(joined.town.unique().tolist()), len(days))`,
    "(959289, ['a', 'b', 'c', 'd', 'e'], 14)",
  ],
  [
    `from sklearn.linear_model import LinearRegression
model = LinearRegression().fit(np.arange(rows).reshape(-1, 1), 3 * np.arange(rows) + 1)
round(float(model.predict([[10]])[0]), 6)`,
    '31.0',
  ],
  [
    `import matplotlib.pyplot as plt
figure, axes = plt.subplots()
axes.plot(days.index, days.values)
plt.get_backend()`,
    "'agg'",
  ],
  [
    `png = io.BytesIO(); figure.savefig(png, format='png')
from PIL import Image
Image.open(io.BytesIO(png.getvalue())).size`,
    '(640, 480)',
  ],
  [
    `joined.head(100).to_excel('/tmp/sales.xlsx', index=False)
len(pd.read_excel('/tmp/sales.xlsx'))`,
    '100',
  ],
  ["from lxml import etree; etree.fromstring('<a><b/></a>').xpath('count(//b)')", '1.0'],
  ['import sympy; x = sympy.Symbol("x"); str(sympy.integrate(x ** 2, x))', "'x**3/3'"],
  [
    `import pydantic
class Shop(pydantic.BaseModel):
    town: str
    sales: int
Shop(town='a', sales='5').sales`,
    '5',
  ],
  ['import scipy.spatial; len(scipy.spatial.ConvexHull(np.array([[0, 0], [1, 0], [0, 1.]])).vertices)', '3'],
]

if (WHEELS === undefined) it.skip('real packages: BRUMATE_WHEELS names no folder')
else test(WHEELS)

function test(folder: string) {
  const directory = mkdtempSync(join(tmpdir(), 'brumate-wheels-'))
  let manager: SessionManager

  beforeAll(async () => {
    const cacheDir = join(directory, 'cache')
    mkdirSync(cacheDir, { mode: 0o700 })
    const base = await openImage({ cacheDir: inject('cacheDir') })
    const bytes = await buildPackageImage({
      base,
      wheels: wheelsOf(folder, PACKAGES),
      preload: PRELOAD,
      layerDir: join(inject('cacheDir'), 'layers'),
    })
    // In place of the image without packages.
    writeFileSync(join(cacheDir, `${imageKey().slice(0, 32)}.image`), bytes, { mode: 0o600 })
    manager = await openManager({ cacheDir, slots: 2, limits: { memoryBytes: 2 ** 30 } })
  }, 900_000)
  afterAll(async () => {
    await manager?.close()
    rmSync(directory, { recursive: true })
  })

  describe('an analysis with real packages', () => {
    it('gives what it should, each step in another slot than the one before', async () => {
      let session: Session = await manager.createSession()
      for (const [code, repr] of STEPS) {
        expect((await session.execute(code)).repr).toBe(repr)
        const snapshot = await session.snapshotState()
        const next = await manager.createSession({ from: snapshot.toBytes() })
        await session.close()
        session = next
      }
      await session.close()
    }, 600_000)

    it('costs a small session little: its snapshot', async () => {
      await using session = await manager.createSession()
      await session.execute('import pandas as pd; frame = pd.DataFrame({"a": [1, 2, 3]})')
      expect((await session.snapshotState()).size).toBeLessThan(65_536)
    })

    it('S1: starts the next session with the image’s modules only', async () => {
      const modules = 'import sys; sorted(n for n in sys.modules if n in ("sympy", "sklearn", "pandas"))'
      await using session = await manager.createSession()
      expect((await session.execute(modules)).repr).toBe("['pandas']")
    })
  })
}
