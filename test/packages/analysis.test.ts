// An analysis of 200,000 rows with real packages, saved after every step and restored in another process. PACKAGES=many adds
// scikit-learn, scipy, lxml, sympy and pydantic. NODES, a colon-separated list of executables, alternates between versions of Node.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SessionManager } from 'brumate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WHEELS } from '../linker/support/wheels.js'
import { openManager } from '../support/manager.js'
import { py } from '../support/session-code.js'
import { MANY, realImage, realImageOptions } from './support/real-image.js'

const PROGRAM = fileURLToPath(new URL('support/run-steps.mjs', import.meta.url))
const ENTRY = new URL('../../dist/src/index.js', import.meta.url).href
const NODES = process.env.NODES?.split(':') ?? [process.execPath]
const ROWS = 200_000

/** The value of each step covers all that the step computes. */
const STEPS: readonly string[] = [
  py`
    import hashlib, io, numpy as np, pandas as pd
    def digest(frame): return hashlib.sha256(pd.util.hash_pandas_object(frame).values.tobytes()).hexdigest()
    random = np.random.default_rng(7)
    pd.DataFrame({
        'shop': random.integers(0, 50, ${ROWS}), 'when': pd.date_range('2026-01-01', periods=${ROWS}, freq='min'),
        'kind': random.choice(['bread', 'milk', 'tea'], ${ROWS}), 'sales': random.normal(100, 15, ${ROWS}).round(2),
    }).to_csv('/tmp/sales.csv', index=False)
    # Half read, over the freeze.
    reader = pd.read_csv('/tmp/sales.csv', parse_dates=['when'], chunksize=80_000)
    parts = [next(reader)]
    [len(parts[0]), digest(parts[0])]
  `,
  py`
    parts += reader
    frame = pd.concat(parts, ignore_index=True); del parts, reader
    [len(frame), digest(frame), frame.dtypes.astype(str).to_dict(), float(random.random())]
  `,
  py`
    by_shop = frame.groupby(['shop', 'kind'], observed=True).sales.agg(['sum', 'mean', 'std', 'count'])
    lazy = frame.groupby('kind')
    [len(by_shop), digest(by_shop), int(by_shop['count'].sum())]
  `,
  py`
    shops = pd.DataFrame({'shop': range(50), 'town': pd.Categorical([f'town {n % 7}' for n in range(50)]), 'size': np.arange(50) % 5 + 1})
    joined = frame.merge(shops, on='shop', how='left', validate='many_to_one')
    [digest(joined), joined.town.value_counts(sort=False).to_dict(), lazy.sales.median().to_dict()]
  `,
  py`
    days = joined.set_index('when').resample('D').agg({'sales': 'sum', 'shop': 'nunique'})
    rolling = days.sales.rolling(7).mean()
    [len(days), digest(days), digest(rolling.dropna())]
  `,
  MANY
    ? py`
      from sklearn.ensemble import RandomForestRegressor
      from sklearn.linear_model import LinearRegression
      from scipy import stats
      x = joined[['shop', 'size']].to_numpy(); model = LinearRegression().fit(x, joined.sales)
      forest = RandomForestRegressor(n_estimators=5, max_depth=4, random_state=3).fit(x[:5000], joined.sales[:5000])
      [model.coef_.tolist(), forest.predict(x[:20]).tolist(), stats.linregress(np.arange(len(days)), days.sales).slope]
    `
    : py`
      design = np.column_stack([np.ones(len(joined)), joined['shop'], joined['size']])
      model, residuals, rank, _ = np.linalg.lstsq(design, joined['sales'], rcond=None)
      curve = np.polynomial.Polynomial.fit(np.arange(len(days)), days.sales, 3)
      [model.tolist(), int(rank), curve.coef.tolist()]
    `,
  py`
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure
    figure, (left, right) = plt.subplots(1, 2)
    left.plot(days.index, days.sales, label='sales'); left.plot(rolling.index, rolling, label='7 days'); left.legend()
    right.hist(joined.sales, bins=40)
    later = Figure(); later.subplots().scatter(joined.sales[:500], joined['size'][:500], c=joined.shop[:500])
    writer = pd.ExcelWriter('/tmp/report.xlsx', engine='openpyxl')
    days.to_excel(writer, sheet_name='days')
    [axes.get_title() for axes in figure.axes]
  `,
  py`
    png = io.BytesIO(); later.savefig(png, format='png')
    from PIL import Image
    by_shop.to_excel(writer, sheet_name='shops'); joined.head(500).to_excel(writer, sheet_name='rows', index=False); writer.close()
    again = pd.read_excel('/tmp/report.xlsx', sheet_name=None)
    [Image.open(png).size, hashlib.sha256(png.getvalue()).hexdigest(), {name: [len(sheet), digest(sheet)] for name, sheet in again.items()},
     float(random.random())]
  `,
  ...(MANY
    ? [
        py`
          from lxml import etree
          import sympy
          root = etree.fromstring(days.to_xml().encode()); x = sympy.Symbol('x')
          integral = sympy.integrate(x ** 2 * sympy.exp(x), x)
          [root.xpath('count(//row)'), str(integral), round(float(forest.predict([[3, 4]])[0]), 9)]
        `,
        py`
          import pydantic
          class Day(pydantic.BaseModel):
              sales: float
              shop: int
          kept = [Day(**row) for row in days.to_dict('records')]
          [len(kept), kept[0].model_dump(), str(sympy.diff(integral, x).simplify()), root[5].tag]
        `,
      ]
    : []),
]

interface Report {
  readonly imageId: string
  readonly node: string
  readonly outcomes: readonly object[]
  readonly snapshotBytes: number
}

async function runSteps(
  steps: readonly string[],
  node: string,
  files: { readonly from?: string | undefined; readonly to?: string } = {},
): Promise<Report> {
  const argument = JSON.stringify({ entry: ENTRY, image: realImageOptions(), steps, ...files })
  const child = spawn(node, [PROGRAM, argument], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (code !== 0) throw new Error(`a step's process ended with ${code}: ${errors}`)
  return JSON.parse(out)
}

describe.skipIf(WHEELS === undefined)('an analysis with real packages', () => {
  const directory = mkdtempSync(join(tmpdir(), 'brumate-analysis-'))
  let manager: SessionManager

  beforeAll(async () => {
    const image = await realImage()
    manager = await openManager({ image, slots: 1 })
  }, 900_000)
  afterAll(async () => {
    await manager?.close()
    rmSync(directory, { recursive: true })
  })

  it('has the same results if it is saved after every step and restored in another process', async () => {
    // Run both at once, in case there is a core for each.
    const unfrozen = runSteps(STEPS, process.execPath)
    unfrozen.catch(() => {})
    const reports: Report[] = []
    for (const [i, step] of STEPS.entries()) {
      const to = join(directory, `${i}.snapshot`)
      const from = i === 0 ? undefined : join(directory, `${i - 1}.snapshot`)
      reports.push(await runSteps([step], NODES[i % NODES.length] as string, { from, to }))
    }
    const expected = await unfrozen
    if (MANY)
      console.log(
        reports
          .map(({ node, snapshotBytes }) => `${node} ${(snapshotBytes / 2 ** 20).toFixed(1)} MiB`)
          .join('\n'),
      )
    expect(reports.map(({ imageId }) => imageId)).toEqual(STEPS.map(() => expected.imageId))
    expect(reports.flatMap(({ outcomes }) => outcomes)).toEqual(expected.outcomes)
    // The plot was drawn, and the file has everything that was written to it.
    expect(expected.outcomes[6]).toMatchObject({ displays: [{ 'image/png': expect.any(String) }] })
    expect(expected.outcomes[7]).toMatchObject({
      value: [
        [640, 480],
        expect.any(String),
        { days: [139, expect.any(String)], rows: [500, expect.any(String)] },
        expect.any(Number),
      ],
    })
  }, 900_000)

  it('leaves the snapshot of a session with a tiny data frame under 64 KiB', async () => {
    await using session = await manager.createSession()
    await session.execute('import pandas as pd; frame = pd.DataFrame({"a": [1, 2, 3]})')
    expect((await session.snapshotState()).size).toBeLessThan(65_536)
  })
})
