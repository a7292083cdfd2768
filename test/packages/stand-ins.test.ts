// What the kernel adds to libraries, tested with stand-ins for the libraries in sessions of the standard image.
import { NdArray, type Session, type SessionManager } from 'brumate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openManager } from '../support/manager.js'
import { pythonErrorOf } from '../support/session-code.js'
import { addStandIns } from './support/stand-ins.js'

let manager: SessionManager
beforeAll(async () => {
  manager = await openManager({ slots: 2, limits: { resultBytes: 5000 } })
})
afterAll(() => manager.close())

async function open(): Promise<Session> {
  const session = await manager.createSession({ checkpoint: 'manual' })
  await addStandIns(session)
  return session
}

describe('displays', () => {
  test('figures are displayed in order, by show() or at the end, before the last expression, and then closed', async () => {
    await using session = await open()
    const { display, displays, value } = await session.execute(`
import matplotlib, matplotlib.pyplot as plt
from PIL.Image import Image
plt.plot(1)
plt.show()
plt.plot(2)
plt.figure().lines.append(3)
Image()`)
    const figure = (n: number, lines: number) => ({
      'image/png': Uint8Array.from(Buffer.from(`png [${lines}]`)),
      'text/plain': `<Figure ${n}>`,
    })
    const image = { 'image/png': Uint8Array.from(Buffer.from('png')) }
    expect(displays).toEqual([figure(1, 1), figure(1, 2), figure(2, 3), image])
    expect([display, value]).toEqual([image, undefined])
    expect(await session.execute('plt.get_fignums(), matplotlib.backend')).toMatchObject({
      value: [[], 'agg'],
      display: {},
      displays: [],
    })
  })

  test('a figure that is the last expression is displayed once, and an empty figure not at all', async () => {
    await using session = await open()
    const { display, displays } = await session.execute(
      'import matplotlib.pyplot as plt\nfig = plt.figure()\nfig.lines.append(1)\nfig',
    )
    expect(displays).toEqual([display])
    expect(Object.keys(display)).toEqual(['image/png', 'text/plain'])
    expect((await session.execute('plt.figure()')).displays).toEqual([])
    expect((await session.execute('plt.get_fignums()')).value).toEqual([])
  })

  test('figures are displayed as SVG on request', async () => {
    await using session = await open()
    await session.execute('import brumate; brumate.set_figure_formats("svg", "png")')
    const { displays } = await session.execute('import matplotlib.pyplot as plt; plt.plot(1)')
    expect(displays[0]).toMatchObject({ 'image/svg+xml': 'svg [1]', 'image/png': expect.any(Uint8Array) })
    const error = await pythonErrorOf(session.execute('brumate.set_figure_formats("gif")'))
    expect(error.message).toContain('png, svg')
  })

  test('a failing or awaiting execution displays its figures; an interrupted one leaves them for the next execution', async () => {
    await using session = await open()
    const failed = await pythonErrorOf(session.execute('import matplotlib.pyplot as plt; plt.plot(1); 1 / 0'))
    expect(failed.displays).toMatchObject([{ 'text/plain': '<Figure 1>' }])
    const awaited = await session.execute('import asyncio; plt.plot(2); await asyncio.sleep(0); plt.plot(3)')
    expect(awaited.displays).toEqual([
      { 'image/png': Uint8Array.from(Buffer.from('png [2, 3]')), 'text/plain': '<Figure 1>' },
    ])
    await session.execute('plt.plot(4)\nwhile True: pass', { timeoutMs: 300 }).catch(() => {})
    expect((await session.execute('x = 1')).displays).toHaveLength(1)
    await session.execute('plt.plot(5)\nwhile True: pass', { timeoutMs: 300 }).catch(() => {})
    await session.clearState()
    expect((await session.execute('x = 1')).displays).toEqual([])
  })

  test('a figure that cannot be drawn is skipped with a message on stderr', async () => {
    await using session = await open()
    const { displays, stderr, value } = await session.execute(
      'import matplotlib.pyplot as plt\nplt.figure().lines.append("fail")\nplt.figure().lines.append(2)\n3',
    )
    expect(value).toBe(3)
    expect(displays).toHaveLength(1)
    expect(stderr).toContain('a figure could not be drawn as png: ValueError: cannot draw this')
  })

  test('displays beyond limits.resultBytes are left out, with messages on stderr', async () => {
    await using session = await open()
    const { displays, display, stderr, repr } = await session.execute(`
import matplotlib.pyplot as plt
class Big:
    def __repr__(self): return 'Big'
    def _repr_html_(self): return 'x' * 3000
for n in range(3): plt.figure().lines.append('y' * 1900)
Big()`)
    expect(displays).toHaveLength(2)
    expect([display, repr]).toEqual([{}, 'Big'])
    expect(stderr.match(/was left out/g)).toHaveLength(2)
    expect(stderr).toContain('limits.resultBytes')
    expect((await session.execute('Big()')).displays).toHaveLength(1)
  })

  test('plotly and altair charts are displayed as JSON', async () => {
    await using session = await open()
    const { displays } = await session.execute(`
from plotly.basedatatypes import BaseFigure
import altair
import plotly.io
BaseFigure().show()
plotly.io.show(BaseFigure())
altair.Chart().show()
altair.Chart()`)
    expect(displays).toEqual([
      { 'application/vnd.plotly.v1+json': '{"data": []}' },
      { 'application/vnd.plotly.v1+json': '{"data": []}' },
      { 'application/vnd.vegalite.v5+json': '{"mark": "bar"}', 'text/plain': 'Chart' },
      { 'application/vnd.vegalite.v5+json': '{"mark": "bar"}', 'text/plain': 'Chart' },
    ])
    expect((await session.execute('BaseFigure()')).display).toEqual({
      'application/vnd.plotly.v1+json': '{"data": []}',
    })
  })

  test('a suspended execution returns its displays when it is suspended, and later ones at its end, even in another slot', async () => {
    const callbacks = {
      ask: (_: unknown, { suspend }: { suspend(reason: string): never }) => suspend('later'),
    }
    await using session = await manager.createSession({ callbacks, checkpoint: 'manual' })
    await addStandIns(session)
    const suspended = await session.execute(
      'import matplotlib.pyplot as plt\nplt.plot(1); plt.show()\nawait ask()\nplt.plot(2)',
    )
    expect(suspended.status).toBe('suspended')
    expect(suspended.displays).toMatchObject([{ 'image/png': Uint8Array.from(Buffer.from('png [1]')) }])
    await session.hibernate()
    const results = Object.fromEntries(session.pending.map(({ id }) => [id, 1]))
    expect((await session.resume({ results })).displays).toMatchObject([
      { 'image/png': Uint8Array.from(Buffer.from('png [2]')) },
    ])
  })
})

describe('arrays', () => {
  test('without numpy, typed arrays become arrays of the standard library, and convert back', async () => {
    await using session = await manager.createSession({ checkpoint: 'manual' })
    for (const [data, type] of [
      [Float64Array.of(1.5, Number.NaN), "array('d', [1.5, nan])"],
      [Float32Array.of(0.5), "array('f', [0.5])"],
      [Int8Array.of(-1), "array('b', [-1])"],
      [Uint16Array.of(65535), "array('H', [65535])"],
      [Int32Array.of(-1, 7).subarray(1), "array('i', [7])"],
      [BigInt64Array.of(-1n), "array('q', [-1])"],
      [BigUint64Array.of(2n ** 64n - 1n), "array('Q', [18446744073709551615])"],
      [new Float64Array(), "array('d')"],
    ] as const) {
      await session.set('it', { deep: [data] })
      const { repr, value } = await session.execute('it["deep"][0]')
      expect.soft([repr, value]).toEqual([type, data])
    }
    await session.set('clamped', new Uint8ClampedArray([300]))
    expect((await session.execute('clamped')).value).toEqual(Uint8Array.of(255))
    await session.set('grid', new NdArray(Float64Array.of(1, 2, 3, 4, 5, 6), [2, 3]))
    expect(
      (await session.execute('type(grid).__name__, grid.shape, grid[1, 2], grid.tolist()')).value,
    ).toEqual([
      'memoryview',
      [2, 3],
      6,
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ])
    const complex = new NdArray(Float64Array.of(1, 2), [1], 'complex128')
    expect((await pythonErrorOf(session.set('c', complex))).message).toContain('needs numpy')
  })

  test('with numpy, typed arrays become numpy arrays, and numpy arrays and scalars convert back', async () => {
    await using session = await open()
    await session.set('it', Float64Array.of(1, 2))
    expect((await session.execute('type(it).__module__, it.dtype.name, it.tolist()')).value).toEqual([
      'numpy',
      'float64',
      [1, 2],
    ])
    await session.set('grid', new NdArray(Int32Array.of(1, 2), [2, 1]))
    expect(await session.get('grid')).toEqual(new NdArray(Int32Array.of(1, 2), [2, 1]))
    const { value } = await session.execute(
      'import numpy as np; [np.float64(1.5), np.int64(2), {"a": np.array([1.5])}, np.array([1, 0], "bool")]',
    )
    expect(value).toEqual([
      1.5,
      2,
      { a: new NdArray(Float64Array.of(1.5)) },
      new NdArray(Uint8Array.of(1, 0), [2], 'bool'),
    ])
  })

  test('callbacks accept and return arrays', async () => {
    const got: unknown[] = []
    const callbacks = {
      twice: ({ x }: { x: NdArray }) => {
        got.push(x)
        return (x.data as Float64Array).map((n) => 2 * n)
      },
    }
    await using session = await manager.createSession({ callbacks, checkpoint: 'manual' })
    await addStandIns(session)
    const { value } = await session.execute(
      'import numpy as np; (await twice(x=np.array([1., 2.]))).tolist()',
    )
    expect(got).toEqual([new NdArray(Float64Array.of(1, 2))])
    expect(value).toEqual([2, 4])
  })

  test('arrays in the arguments of a suspended call are in `pending` of a restored session', async () => {
    const callbacks = {
      ask: (_: unknown, { suspend }: { suspend(reason: string): never }) => suspend('later'),
    }
    await using session = await manager.createSession({ callbacks, checkpoint: 'manual' })
    await addStandIns(session)
    const { pending } = await session.execute(`
import array, numpy as np
await ask(bare=array.array('h', [1, -2]), many=[np.array([1.5, 2], shape=(1, 2)), np.array([1], 'bool')], empty=array.array('d'),
    frame={'columns': {'n': np.array([1, 2 ** 60], 'int64')}})`)
    expect(pending[0]?.args).toEqual({
      bare: Int16Array.of(1, -2),
      many: [new NdArray(Float64Array.of(1.5, 2), [1, 2]), new NdArray(Uint8Array.of(1), [1], 'bool')],
      empty: new Float64Array(0),
      frame: { columns: { n: new NdArray(BigInt64Array.of(1n, 2n ** 60n)) } },
    })
    const snapshot = await session.snapshotState()
    await using fork = await manager.createSession({ from: snapshot, callbacks, checkpoint: 'manual' })
    expect(fork.pending).toEqual(pending)
    expect(snapshot.manifest.pending[0]?.args).toEqual(pending[0]?.args)
  })

  test('an array larger than limits.resultBytes is not returned as a value, but get returns it', async () => {
    await using session = await open()
    const { value, repr } = await session.execute('import array; a = array.array("d", bytes(8000)); a')
    expect([value, typeof repr]).toEqual([undefined, 'string'])
    expect(await session.get('a')).toEqual(new Float64Array(1000))
  })

  test('an invalid NdArray is rejected, and the error says what was expected', async () => {
    await using session = await manager.createSession({ checkpoint: 'manual' })
    for (const [array, expected] of [
      [new NdArray(Float64Array.of(1), [2]), 'as many elements as its shape says'],
      [new NdArray(['a']), 'whose dtype is one of'],
      [new NdArray(Float64Array.of(1), [1], 'int32'), 'Int32Array'],
      [new NdArray(Float64Array.of(1), [1.5]), 'array of lengths'],
    ] as const)
      await expect(session.set('x', [array])).rejects.toThrow(expected)
  })
})

describe('random numbers', () => {
  const draw = 'import numpy.random as r, random; (r.rand(), random.random())'

  test('numpy.random is reseeded in every fork, like random, unless user code seeded it', async () => {
    await using origin = await open()
    await origin.execute('import numpy.random as r; r.rand()')
    const unseeded = await origin.snapshotState()
    await origin.execute('r.seed(1)')
    const seeded = await origin.snapshotState()
    await origin.execute('r.seed(); r.set_state(r.get_state())')
    const state = await origin.snapshotState()
    const drawIn = async (from: typeof seeded, code = draw) => {
      await using fork = await manager.createSession({ from, checkpoint: 'manual' })
      return (await fork.execute(code)).value as [number, number]
    }
    const [a, b] = [await drawIn(unseeded), await drawIn(unseeded)]
    expect(a[0]).not.toBe(b[0])
    const [c, d] = [await drawIn(seeded), await drawIn(seeded)]
    expect(c[0]).toBe(d[0])
    expect(c[1]).not.toBe(d[1])
    expect((await drawIn(state))[0]).toBe((await drawIn(state))[0])
    await origin.execute('r.seed(None)')
    const again = await origin.snapshotState()
    expect((await drawIn(again))[0]).not.toBe((await drawIn(again))[0])
  })
})

describe('packages', () => {
  test('brumate.packages() matches importlib.metadata', async () => {
    await using session = await open()
    const { value } = await session.execute(
      'import brumate, importlib.metadata as m; brumate.packages(), {d.name: d.version for d in m.distributions()}',
    )
    const known = { numpy: '2.4.3', 'Scikit-Thing': '1.0' }
    expect(value).toEqual([known, known])
  })

  test.each([
    '%pip install',
    '!pip install -q',
    'pip install --upgrade',
    '!python -m pip install',
    '!python3.14 -m pip -q install',
    '!sudo -H pip3 --quiet install',
    'result = !pip install',
    '%%capture\n%pip install',
    '%%bash\npip install',
    '!uv pip install',
  ])('%s says which packages the image has, and how to add a missing one', async (install) => {
    await using session = await open()
    const { stdout, stderr, value } = await session.execute(
      `x = '''\n%pip install in a text\n'''\n${install} numpy scikit_thing==1.0 'pandas[excel]>=2' \\\n  # more\nlen(x)`,
    )
    expect(stdout).toContain('numpy 2.4.3, Scikit-Thing 1.0')
    expect(stderr).toContain("pandas is not in this session's image")
    expect(stderr).toContain("SessionManager.create({ packages: ['pandas[excel]>=2'] })")
    expect(value).toBe(24)
  })

  test('other installer commands are answered too', async () => {
    await using session = await open()
    const nothing = 'Sessions cannot install packages.'
    for (const [code, expected] of [
      ['%pip install \\\n  pandas \\\n  numpy', "create({ packages: ['pandas'] })"],
      ['  %pip install pandas  # now', "create({ packages: ['pandas'] })"],
      ['!pip install pandas > /dev/null 2>&1 && echo numpy', "create({ packages: ['pandas'] })"],
      [
        'try:\n  import pandas\nexcept ImportError:\n  !pip install pandas',
        "create({ packages: ['pandas'] })",
      ],
      ['!pip install -r requirements.txt', nothing],
      ['!pip install git+https://host.test/a.git', nothing],
      ['%pip install ./a-1.0-py3-none-any.whl', nothing],
    ] as const) {
      const { stderr, stdout } = await session.execute(code)
      expect.soft([code, stderr + stdout]).toEqual([code, expect.stringContaining(expected)])
    }
    for (const code of ['!pip', '!pip --version', '%pip check']) {
      const { stderr, stdout } = await session.execute(code)
      expect.soft([code, stdout, stderr]).toEqual([code, expect.stringContaining('numpy 2.4.3'), ''])
    }
    expect(
      (await session.execute('%config InlineBackend.figure_format = "svg"\n%load_ext autoreload\n1')).value,
    ).toBe(1)
    expect((await session.execute('lines = !pip list\nlines')).value).toEqual([])
  })

  test('other syntax errors stay unchanged', async () => {
    await using session = await manager.createSession({ checkpoint: 'manual' })
    for (const code of [
      'x = (\n',
      'text = "%pip install x',
      '!ls',
      'def f(:\n  pip install x',
      'pip = 1; pip install',
    ])
      expect.soft((await pythonErrorOf(session.execute(code))).type).toBe('SyntaxError')
    const isExplained = async (code: string) =>
      (await pythonErrorOf(session.execute(code))).message.includes('sessions run plain Python')
    for (const code of ['x = (', 'x = 5 %', '% 5', 'x = (1\n  %y z)'])
      expect.soft([code, await isExplained(code)]).toEqual([code, false])
    const second = await pythonErrorOf(session.execute('%pip install x\ny = ('))
    expect(second.traceback).toContain('line 2')
    expect(second.traceback).not.toContain('%pip')
    const error = await pythonErrorOf(session.execute('%pip install x\n1 / 0'))
    expect(error.traceback).toContain('line 2')
    const { stdout, stderr } = await session.execute('%matplotlib inline\n%pip list')
    expect([stdout, stderr]).toEqual(["The image has no packages, only Python's standard library.\n", ''])
  })

  test.each([
    ['%timeit sum(range(9))', 1, '%timeit', "without IPython's magics; use timeit.timeit(…)"],
    ['%time x = 1', 1, '%time', 'time.perf_counter()'],
    ['%%time\nx = 1', 1, '%%time', 'time.perf_counter()'],
    ['# timed\n%%timeit\nx = 1', 2, '%%timeit', 'timeit.timeit(…)'],
    ['x = %timeit -o f()', 1, '%timeit', 'timeit.timeit(…)'],
    ['\n%%bash\necho "it\'s"\nls 1a', 2, '%%bash', 'without a shell; use os, shutil and pathlib'],
    ['%%sh\nls -l', 1, '%%sh', 'without a shell'],
    ['!ls -l', 1, '!ls', 'without a shell'],
    ["x = 1\n!echo it's\n%matplotlib inline", 2, '!echo', 'without a shell'],
    ['files = !ls', 1, '!ls', 'without a shell'],
    ['if True:\n  %run x.py', 2, '%run', 'runpy.run_path(…)'],
    ["%%writefile a.py\nprint('it')", 1, '%%writefile', 'write_text'],
    ["%%html\n<b>it's</b>", 1, '%%html', 'IPython.display'],
    ['%sql SELECT 1', 1, '%sql', 'write it in Python'],
    ['?print', 1, '?print', "without IPython's help; use help(print)"],
    ['x = 1\nx.real??', 2, 'x.real??', 'help(x.real)'],
  ])(
    '%j raises a SyntaxError that says what is missing and what to use instead',
    async (code, line, command, advice) => {
      await using session = await manager.createSession({ checkpoint: 'manual' })
      const { message, frames } = await pythonErrorOf(session.execute(code))
      expect(message.startsWith(`SyntaxError: ${command}: sessions run plain Python, without `)).toBe(true)
      expect(message).toContain(advice)
      expect(frames.at(-1)).toMatchObject({ line, text: code.split('\n')[line - 1]?.trim() })
    },
  )

  test('importing a well-known missing package says how to add it; other missing modules get the usual error', async () => {
    await using session = await manager.createSession({ checkpoint: 'manual' })
    const error = await pythonErrorOf(session.execute('import sklearn.linear_model'))
    expect(error.type).toBe('ModuleNotFoundError')
    expect(error.message).toMatch(
      /^ModuleNotFoundError: No module named 'sklearn'. scikit-learn is not in this session's image/,
    )
    expect(error.traceback).toContain("packages: ['scikit-learn']")
    expect((await pythonErrorOf(session.execute('import micropip'))).message).toContain(
      'cannot install packages',
    )
    expect((await pythonErrorOf(session.execute('import nothing_like_it'))).message).toBe(
      "ModuleNotFoundError: No module named 'nothing_like_it'",
    )
    const caught = 'try:\n  import pandas\nexcept ImportError as e: text = str(e)\ntext'
    expect((await session.execute(caught)).value).toBe("No module named 'pandas'")
    expect((await session.execute("import importlib.util; importlib.util.find_spec('pandas')")).repr).toBe(
      undefined,
    )
  })

  test('a user’s own module with such a name is imported', async () => {
    await using session = await manager.createSession({ checkpoint: 'manual' })
    const { value, stderr } = await session.execute(`
import sys
for name in ('pandas', 'numpy', 'altair'):
    open(f'/home/pyodide/{name}.py', 'w').write('x = 1')
sys.path.insert(0, '/home/pyodide')
import altair, numpy, pandas
numpy.__spec__.loader.get_filename(), pandas.x, numpy.__loader__ is numpy.__spec__.loader`)
    expect([value, stderr]).toEqual([['/home/pyodide/numpy.py', 1, true], ''])
  })
})

describe('without network access', () => {
  test.each([
    ['gaierror', 'import socket; socket.create_connection(("host.test", 80))'],
    ['OSError', 'import socket; socket.socket()'],
    ['URLError', 'import urllib.request; urllib.request.urlopen("https://host.test/")'],
    ['gaierror', 'import http.client; http.client.HTTPSConnection("host.test").request("GET", "/")'],
    ['gaierror', 'import asyncio; await asyncio.open_connection("host.test", 80)'],
  ])('%s says why, and what to do', async (type, code) => {
    await using session = await manager.createSession({ checkpoint: 'manual' })
    const error = await pythonErrorOf(session.execute(code))
    expect(error.type).toBe(type)
    expect(error.message).toContain('this session has no network. The program that runs it can')
  })
})
