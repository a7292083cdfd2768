// What the kernel adds to libraries, tested with the real libraries: in a session of the image with real packages, and with wheels from the
// folder in BRUMATE_WHEELS. Tests that do not need the real library use stand-ins (stand-ins.test.ts).
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { NdArray, type Session, type SessionManager } from 'brumate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WHEELS } from '../linker/support/wheels.js'
import { openManager } from '../support/manager.js'
import { py } from '../support/session-code.js'
import { realImage } from './support/real-image.js'

/** Libraries that the image lacks, which Python imports from their archives. */
const ARCHIVES = /^(certifi|charset_normalizer|httpx|idna|requests|urllib3)-.*\.whl$/

describe.skipIf(WHEELS === undefined)('with real packages', () => {
  let manager: SessionManager
  let session: Session
  beforeAll(async () => {
    manager = await openManager({ image: await realImage(), slots: 2 })
    session = await manager.createSession({ checkpoint: 'manual', executionTimeoutMs: null })
    for (const name of readdirSync(WHEELS as string).filter((file) => ARCHIVES.test(file))) {
      await session.files.writeFile(`/tmp/${name}`, readFileSync(join(WHEELS as string, name)))
      await session.execute(`import sys; sys.path.append('/tmp/${name}')`)
    }
    await session.execute('import numpy as np, pandas as pd, matplotlib.pyplot as plt, brumate')
  }, 900_000)
  afterAll(() => manager?.close())

  const evaluate = async (code: string) => (await session.execute(code)).value
  const numbers = (python: string) => evaluate(`np.array(${python})`)

  test('arrays of every dtype arrive with their shape', async () => {
    expect(await numbers('[[1.5, 2], [3, 4]]')).toEqual(
      new NdArray(Float64Array.of(1.5, 2, 3, 4), [2, 2], 'float64'),
    )
    for (const [dtype, data] of [
      ['int8', Int8Array.of(1, 0)],
      ['uint16', Uint16Array.of(1, 0)],
      ['int64', BigInt64Array.of(1n, 0n)],
      ['uint64', BigUint64Array.of(1n, 0n)],
      ['float32', Float32Array.of(1, 0)],
      ['float16', Float32Array.of(1, 0)],
      ['bool', Uint8Array.of(1, 0)],
      ['complex64', Float32Array.of(1, 0, 0, 0)],
      ['complex128', Float64Array.of(1, 0, 0, 0)],
    ] as const) {
      const array = new NdArray(data, [2], dtype)
      expect.soft(await numbers(`[1, 0], '${dtype}'`), dtype).toEqual(array)
      await session.set('it', array)
      expect
        .soft(await evaluate(`it.dtype == np.dtype('${dtype}'), it.flags.writeable, it.shape`))
        .toEqual([true, true, [2]])
      expect.soft(await session.get('it')).toEqual(array)
    }
    expect(await numbers("['2020-01-01', 'NaT'], 'M8[D]'")).toEqual(
      new NdArray(Float64Array.of(1577836800000, Number.NaN), [2], 'datetime64[ms]'),
    )
    expect(await numbers("[1], 'm8[h]'")).toEqual(
      new NdArray(Float64Array.of(3_600_000), [1], 'timedelta64[ms]'),
    )
    expect(await numbers("[['a'], ['b']]")).toEqual(new NdArray(['a', 'b'], [2, 1], 'str'))
    expect(await numbers("[1, None], 'object'")).toEqual(new NdArray([1, null], [2], 'object'))
    expect(await numbers("[1, 2], '>i4'")).toEqual(new NdArray(Int32Array.of(1, 2), [2], 'int32'))
    expect(await evaluate('np.arange(10)[::3]')).toEqual(new NdArray(Int32Array.of(0, 3, 6, 9), [4], 'int32'))
    expect(await evaluate('np.arange(4).reshape(2, 2).T')).toEqual(
      new NdArray(Int32Array.of(0, 2, 1, 3), [2, 2], 'int32'),
    )
    expect(await evaluate('np.array(7.5)')).toEqual(new NdArray(Float64Array.of(7.5), [], 'float64'))
    expect(await evaluate('np.zeros((0, 3))')).toEqual(new NdArray(new Float64Array(), [0, 3], 'float64'))
  })

  test('numpy and pandas scalars are plain values', async () => {
    expect(
      await evaluate(py`
        [np.float64(1.5), np.int64(2**60), np.uint8(3), np.True_, np.str_('a'), np.bytes_(b'b'), np.float16(0.5), np.longdouble(2),
         np.datetime64('2020-01-01'), np.datetime64('NaT'), pd.Timestamp('2020-01-01'), pd.NaT, pd.NA, pd.Period('2020-01')]
      `),
    ).toEqual([
      ...[1.5, 2n ** 60n, 3, true, 'a', Uint8Array.of(98), 0.5, 2],
      ...[new Date('2020-01-01'), null, new Date('2020-01-01'), null, null, '2020-01'],
    ])
    expect(await evaluate('[np.complex128(1)]')).toBe(undefined)
  })

  test('data frames arrive as columns, and are displayed as HTML and text', async () => {
    const { value, display } = await session.execute(py`
      pd.DataFrame({
          'int': [1, 2], 'big': [2**60, 1], 'text': ['x', None], 'when': pd.to_datetime(['2020-01-01', None]), 'none': [0.5, None],
          'nullable': pd.array([1, None], dtype='Int64'), 'full': pd.array([1, 2], dtype='Int64'), 'kind': pd.Categorical(['u', 'v']),
          'zoned': pd.to_datetime(['2020-01-01T01:00+01:00'] * 2), 'flag': [True, False], 'cut': pd.cut([1, 3], [0, 2, 4]), 5: [[1], {'a': 2}],
      })
    `)
    expect(value).toEqual({
      columns: {
        int: Float64Array.of(1, 2),
        big: BigInt64Array.of(2n ** 60n, 1n),
        text: ['x', null],
        when: Float64Array.of(1577836800000, Number.NaN),
        none: Float64Array.of(0.5, Number.NaN),
        nullable: [1, null],
        full: Float64Array.of(1, 2),
        kind: ['u', 'v'],
        zoned: Float64Array.of(1577836800000, 1577836800000),
        flag: Uint8Array.of(1, 0),
        cut: ['(0, 2]', '(2, 4]'],
        5: [[1], { a: 2 }],
      },
      dtypes: expect.objectContaining({ int: 'int64', nullable: 'Int64', kind: 'category' }),
      names: ['int', 'big', 'text', 'when', 'none', 'nullable', 'full', 'kind', 'zoned', 'flag', 'cut', '5'],
      index: null,
    })
    expect(Object.keys(display)).toEqual(['text/html', 'text/plain'])
    expect(
      await evaluate(
        "pd.DataFrame({'a': [1.5, 2.5]}, index=pd.MultiIndex.from_tuples([('x', 1), ('y', 2)]))",
      ),
    ).toEqual({
      columns: { a: Float64Array.of(1.5, 2.5) },
      dtypes: { a: 'float64' },
      names: ['a'],
      index: [
        ['x', 1],
        ['y', 2],
      ],
    })
    expect(await evaluate("pd.Series([1.5], index=['k'], name='n')")).toEqual({
      values: Float64Array.of(1.5),
      dtype: 'float64',
      name: 'n',
      index: ['k'],
    })
    expect(await evaluate("pd.DataFrame({'a': [1], 'b': [2]}).set_axis(['a', 'a'], axis=1)")).toBe(undefined)
    await session.execute("odd = pd.DataFrame({'a': [object()]})")
    await expect(session.get('odd')).rejects.toThrow("in its column 'a' that have no JavaScript form")
  })

  test('figures are displayed as PNG and as a chart, and then closed', async () => {
    const { displays, value } = await session.execute(py`
      plt.plot([1, 2, 3], [1, 4, float('nan')], label='squares', color='red'); plt.title('T'); plt.xlabel('x'); plt.show()
      fig, (left, right) = plt.subplots(1, 2)
      left.bar(['p', 'q'], [3, 4])
      right.hist([1, 2, 2, 3, 3, 3], bins=3)
      _ = fig.suptitle('two')
      pd.DataFrame({'k': ['x', 'y'], 'v': [1, 2]}).plot.bar(x='k', y='v')
      pd.Series([1, 2], index=pd.date_range('2020-01-01', periods=2)).plot(ax=plt.figure().gca())
      plt.figure(); plt.pie([1, 3], labels=['a', 'b'])
      plt.figure(); plt.imshow(np.eye(2)); plt.axhline(1)
      plt.figure(); plt.scatter([1, 2], [3, 4])
      plt.figure(); plt.plot(range(30_000))
      7
    `)
    expect(value).toBe(7)
    const png = [0x89, 0x50, 0x4e, 0x47]
    expect(displays.map((display) => [...(display['image/png'] as Uint8Array).subarray(0, 4)])).toEqual(
      Array(8).fill(png),
    )
    const charts = displays.map((display) =>
      JSON.parse(String(display['application/vnd.brumate.chart+json'] ?? 'null')),
    )
    expect(charts[0]).toEqual({
      title: null,
      axes: [
        {
          type: 'line',
          title: 'T',
          x: { label: 'x', scale: 'linear' },
          y: { label: null, scale: 'linear' },
          series: [{ type: 'line', label: 'squares', color: '#ff0000', x: [1, 2, 3], y: [1, 4, null] }],
        },
      ],
    })
    expect([charts[1].title, charts[1].axes.length]).toEqual(['two', 2])
    const series = charts
      .slice(1, 7)
      .flatMap((chart) => chart.axes.flatMap((axes: { series: object[] }) => axes.series))
    expect(series).toMatchObject([
      { type: 'bar', x: ['p', 'q'], y: [3, 4] },
      { type: 'histogram', counts: [1, 2, 3] },
      { type: 'bar', label: 'v', x: ['x', 'y'], y: [1, 2] },
      { type: 'line', x: ['2020-01-01', '2020-01-02'], y: [1, 2] },
      { type: 'pie', labels: ['a', 'b'], values: [0.25, 0.75] },
      {
        type: 'heatmap',
        values: [
          [1, 0],
          [0, 1],
        ],
      },
      { type: 'scatter', x: [1, 2], y: [3, 4] },
    ])
    expect(charts[7]).toBe(null)
    expect(await evaluate('plt.get_fignums()')).toEqual([])
    await session.execute('brumate.set_figure_formats("svg")')
    expect((await session.execute('fig')).display['image/svg+xml']).toContain('<svg')
    await session.execute('brumate.set_figure_formats("png")')
  })

  test('Pillow images are displayed as PNG only', async () => {
    const { display } = await session.execute('from PIL import Image; Image.new("RGB", (9, 9))')
    expect(Object.keys(display)).toEqual(['image/png'])
  })

  test('numpy.random is reseeded when a session starts, and after a restore unless user code seeded it', async () => {
    await using other = await manager.createSession({ checkpoint: 'manual', executionTimeoutMs: null })
    await other.execute('import numpy as np')
    const state = async (of: Session) =>
      (await of.execute('repr(np.random.get_state()[1][:4].tolist())')).value
    const restore = async () => other.restoreState(await other.snapshotState())
    const seen = [await state(session), await state(other)]
    await restore()
    seen.push(await state(other))
    expect(new Set(seen).size).toBe(3)
    await other.execute('np.random.seed(7)')
    await restore()
    const { value: drawn } = await other.execute('[np.random.rand(), np.random.RandomState(7).rand()]')
    expect((drawn as number[])[0]).toBe((drawn as number[])[1])
    await other.execute('np.random.seed(); s = np.random.get_state(); np.random.set_state(s)')
    const seeded = await state(other)
    await restore()
    expect(await state(other)).toBe(seeded)
  })

  test.each([
    ['requests', 'get(', 'requests.ConnectionError'],
    ['urllib3', 'request("GET", ', 'urllib3.exceptions.MaxRetryError'],
    ['httpx', 'get(', 'httpx.ConnectError'],
  ] as const)(
    '%s can be imported, and a request raises its own error, which explains that there is no network',
    async (library, request, kind) => {
      for (const url of ['http://example.com/', 'https://example.com/']) {
        const text = await evaluate(py`
          import ${library}, urllib3.exceptions
          try: ${library}.${request}'${url}')
          except ${kind} as error: text = str(error)
          text
        `)
        expect(text).toContain('this session has no network')
      }
    },
  )
})
