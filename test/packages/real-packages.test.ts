// What the kernel adds to libraries, tested with the real libraries: wheels from the directory in BRUMATE_WHEELS, loaded by stock
// Pyodide. Tests that do not need the real library use stand-ins (stand-ins.test.ts).
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { NdArray } from 'brumate'
import { beforeAll, describe, expect, test } from 'vitest'
import { StockKernel } from './support/stock-kernel.js'

const DIRECTORY = process.env.BRUMATE_WHEELS
const WHEELS =
  /^(certifi|charset_normalizer|contourpy|cycler|fonttools|httpx|idna|kiwisolver|matplotlib|numpy|packaging|pandas|pillow|pyparsing|python_dateutil|pytz|requests|six|urllib3)-/

describe.skipIf(DIRECTORY === undefined)('with real packages', () => {
  let kernel: StockKernel
  beforeAll(async () => {
    const directory = DIRECTORY as string
    const names = readdirSync(directory).filter((name) => WHEELS.test(name) && name.endsWith('.whl'))
    kernel = await StockKernel.boot(names.map((name) => join(directory, name)))
    kernel.execute('import numpy as np, pandas as pd, matplotlib.pyplot as plt, brumate')
  }, 600_000)

  const numbers = (python: string) => kernel.value(`np.array(${python})`)

  test('arrays of every dtype arrive with their shape', () => {
    expect(numbers('[[1.5, 2], [3, 4]]')).toEqual(
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
      expect.soft(numbers(`[1, 0], '${dtype}'`), dtype).toEqual(array)
      kernel.set('it', array)
      expect
        .soft(kernel.value(`it.dtype == np.dtype('${dtype}'), it.flags.writeable, it.shape`))
        .toEqual([true, true, [2]])
      expect.soft(kernel.get('it')).toEqual(array)
    }
    expect(numbers("['2020-01-01', 'NaT'], 'M8[D]'")).toEqual(
      new NdArray(Float64Array.of(1577836800000, Number.NaN), [2], 'datetime64[ms]'),
    )
    expect(numbers("[1], 'm8[h]'")).toEqual(new NdArray(Float64Array.of(3_600_000), [1], 'timedelta64[ms]'))
    expect(numbers("[['a'], ['b']]")).toEqual(new NdArray(['a', 'b'], [2, 1], 'str'))
    expect(numbers("[1, None], 'object'")).toEqual(new NdArray([1, null], [2], 'object'))
    expect(numbers("[1, 2], '>i4'")).toEqual(new NdArray(Int32Array.of(1, 2), [2], 'int32'))
    expect(kernel.value('np.arange(10)[::3]')).toEqual(new NdArray(Int32Array.of(0, 3, 6, 9), [4], 'int32'))
    expect(kernel.value('np.arange(4).reshape(2, 2).T')).toEqual(
      new NdArray(Int32Array.of(0, 2, 1, 3), [2, 2], 'int32'),
    )
    expect(kernel.value('np.array(7.5)')).toEqual(new NdArray(Float64Array.of(7.5), [], 'float64'))
    expect(kernel.value('np.zeros((0, 3))')).toEqual(new NdArray(new Float64Array(), [0, 3], 'float64'))
  })

  test('numpy and pandas scalars are plain values', () => {
    expect(
      kernel.value(`
        [np.float64(1.5), np.int64(2**60), np.uint8(3), np.True_, np.str_('a'), np.bytes_(b'b'), np.float16(0.5), np.longdouble(2),
         np.datetime64('2020-01-01'), np.datetime64('NaT'), pd.Timestamp('2020-01-01'), pd.NaT, pd.NA, pd.Period('2020-01')]
      `),
    ).toEqual([
      ...[1.5, 2n ** 60n, 3, true, 'a', Uint8Array.of(98), 0.5, 2],
      ...[new Date('2020-01-01'), null, new Date('2020-01-01'), null, null, '2020-01'],
    ])
    expect(kernel.execute('[np.complex128(1)]').value).toBe(undefined)
  })

  test('data frames arrive as columns, and are displayed as HTML and text', () => {
    const { value, display } = kernel.execute(`
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
      kernel.value("pd.DataFrame({'a': [1.5, 2.5]}, index=pd.MultiIndex.from_tuples([('x', 1), ('y', 2)]))"),
    ).toEqual({
      columns: { a: Float64Array.of(1.5, 2.5) },
      dtypes: { a: 'float64' },
      names: ['a'],
      index: [
        ['x', 1],
        ['y', 2],
      ],
    })
    expect(kernel.value("pd.Series([1.5], index=['k'], name='n')")).toEqual({
      values: Float64Array.of(1.5),
      dtype: 'float64',
      name: 'n',
      index: ['k'],
    })
    expect(kernel.value("pd.DataFrame({'a': [1], 'b': [2]}).set_axis(['a', 'a'], axis=1)")).toBe(undefined)
    kernel.execute("odd = pd.DataFrame({'a': [object()]})")
    expect(() => kernel.get('odd')).toThrow("in its column 'a' that have no JavaScript form")
  })

  test('figures are displayed as PNG and as a chart, and then closed', () => {
    const { displays, value } = kernel.execute(`
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
    expect(kernel.value('plt.get_fignums()')).toEqual([])
    kernel.execute('brumate.set_figure_formats("svg")')
    expect(kernel.execute('fig').display['image/svg+xml']).toContain('<svg')
    kernel.execute('brumate.set_figure_formats("png")')
  })

  test('Pillow images are displayed as PNG only', () => {
    expect(Object.keys(kernel.execute('from PIL import Image; Image.new("RGB", (9, 9))').display)).toEqual([
      'image/png',
    ])
  })

  test('numpy.random is reseeded when a session starts, and after a restore unless user code seeded it', () => {
    const draw = 'np.random.rand()'
    const state = () => kernel.value('repr(np.random.get_state()[1][:4].tolist())')
    const first = state()
    kernel.attach()
    const second = state()
    kernel.restored()
    const third = state()
    expect(new Set([first, second, third]).size).toBe(3)
    kernel.execute('np.random.seed(7)')
    kernel.restored()
    expect(kernel.value(draw)).toBe(kernel.value('np.random.RandomState(7).rand()'))
    kernel.execute('np.random.seed(); s = np.random.get_state(); np.random.set_state(s)')
    const fourth = state()
    kernel.restored()
    expect(state()).toBe(fourth)
  })

  test.each(['requests', 'urllib3', 'httpx'])(
    '%s can be imported, and a request raises its own error, which explains that there is no network',
    (library) => {
      const request = library === 'urllib3' ? 'request("GET", ' : 'get('
      const kind = {
        requests: 'requests.ConnectionError',
        urllib3: 'urllib3.exceptions.MaxRetryError',
        httpx: 'httpx.ConnectError',
      }[library]
      for (const url of ['http://example.com/', 'https://example.com/']) {
        const { value } = kernel.execute(`
        import ${library}, urllib3.exceptions
        try: ${library}.${request}'${url}')
        except ${kind} as error: text = str(error)
        text
      `)
        expect(value).toContain('this session has no network')
      }
    },
  )
})
