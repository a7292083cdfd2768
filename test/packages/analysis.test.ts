// An analysis of 80,000 rows with real packages, saved after every step and restored in another process. PACKAGES=many adds
// scikit-learn, scipy, lxml, sympy and pydantic, and more rows. NODES, a colon-separated list of executables, alternates between versions of Node.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WHEELS } from '../linker/support/wheels.js'
import { py } from '../support/session-code.js'
import { MANY, realImage, realImageOptions } from './support/real-image.js'

const PROGRAM = fileURLToPath(new URL('support/run-steps.mjs', import.meta.url))
const ENTRY = new URL('../../dist/src/index.js', import.meta.url).href
const NODES = process.env.NODES?.split(':') ?? [process.execPath]
const ROWS = MANY ? 200_000 : 80_000
const MINUTES_PER_DAY = 1440

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
    reader = pd.read_csv('/tmp/sales.csv', parse_dates=['when'], chunksize=${0.4 * ROWS})
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

interface Request {
  readonly steps: readonly string[]
  /** Snapshot files. */
  readonly from?: string | undefined
  readonly to?: string
}

/** A process with a manager, which runs one request after another. */
class StepProcess {
  readonly #child: ChildProcess
  readonly #ended: Promise<never>
  readonly #ready: Promise<unknown>

  constructor(node: string) {
    const argument = JSON.stringify({ entry: ENTRY, image: realImageOptions() })
    this.#child = fork(PROGRAM, [argument], { execPath: node, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    let errors = ''
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    this.#ended = new Promise((_, reject) => {
      this.#child.on('error', reject)
      this.#child.on('exit', (code) => reject(new Error(`a step's process ended with ${code}: ${errors}`)))
    })
    this.#ended.catch(() => {})
    this.#ready = once(this.#child, 'message')
  }

  async run(request: Request): Promise<Report> {
    await Promise.race([this.#ready, this.#ended])
    const answered = once(this.#child, 'message')
    this.#child.send(request)
    const [report] = (await Promise.race([answered, this.#ended])) as [Report]
    return report
  }

  /** Resolves when the process has ended. */
  async end(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    await this.#ended.catch(() => {})
  }
}

describe.skipIf(WHEELS === undefined)('an analysis with real packages', () => {
  const directory = mkdtempSync(join(tmpdir(), 'brumate-analysis-'))
  const processes: StepProcess[] = []
  const start = (node: string) => {
    const started = new StepProcess(node)
    processes.push(started)
    return started
  }
  let whole: StepProcess

  beforeAll(async () => {
    await realImage()
    whole = start(process.execPath)
  }, 900_000)
  afterAll(async () => {
    await Promise.all(processes.map((each) => each.end()))
    rmSync(directory, { recursive: true })
  })

  it('has the same results if it is saved after every step and restored in another process', async () => {
    // Run both at once, in case there is a core for each.
    const unfrozen = whole.run({ steps: STEPS })
    unfrozen.catch(() => {})
    // Two processes take turns, so that none restores what it has saved itself. With the large image, each step has a process of its own.
    const nodes = NODES.length > 1 ? NODES : [...NODES, ...NODES]
    const turns = MANY ? [] : nodes.map(start)
    const reports: Report[] = []
    for (const [i, step] of STEPS.entries()) {
      const to = join(directory, `${i}.snapshot`)
      const from = i === 0 ? undefined : join(directory, `${i - 1}.snapshot`)
      const turn = turns[i % turns.length] ?? start(nodes[i % nodes.length] as string)
      reports.push(await turn.run({ steps: [step], from, to }))
      if (MANY) await turn.end()
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
        { days: [Math.ceil(ROWS / MINUTES_PER_DAY), expect.any(String)], rows: [500, expect.any(String)] },
        expect.any(Number),
      ],
    })
  }, 900_000)

  it('leaves the snapshot of a session with a tiny data frame under 64 KiB', async () => {
    const steps = ['import pandas as pd; frame = pd.DataFrame({"a": [1, 2, 3]})']
    const { snapshotBytes } = await whole.run({ steps, to: join(directory, 'tiny.snapshot') })
    expect(snapshotBytes).toBeGreaterThan(0)
    expect(snapshotBytes).toBeLessThan(65_536)
  })
})
