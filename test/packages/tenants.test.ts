// S1 and random numbers with packages: tenants take turns on one slot, and each tries to leave as much behind as it can, in the state of
// Python and of the packages. LEASES=2000 PACKAGES=many runs the check made before a release.
import { type CallbackContext, type SessionManager, TimeoutError, VfsStorage } from 'brumate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WHEELS } from '../linker/support/wheels.js'
import { CANARY, DEEDS, look, parts, type Tenant } from '../security/support/tenants.js'
import { openManager } from '../support/manager.js'
import { py, rejectionOf } from '../support/session-code.js'
import { MANY, realImage } from './support/real-image.js'

/** Probes the packages' settings, and what is reachable through them. */
const PACKAGE_STATE = py`
  def package_state():
      import sys, numpy as np, pandas as pd, matplotlib as mpl, matplotlib.pyplot as plt, ctypes, logging
      seen = {}
      seen['numpy'] = np.geterr(), np.get_printoptions(), np.geterrcall(), sorted(vars(np)), np.sum.__module__
      seen['pandas'] = pd.describe_option('display', _print_desc=False), pd.options.mode.copy_on_write, sorted(vars(pd.DataFrame))
      seen['matplotlib'] = sorted((key, str(value)) for key, value in mpl.rcParams.items()), plt.get_fignums(), mpl.get_backend()
      seen['logging'] = sorted(logging.root.manager.loggerDict), len(logging.root.handlers)
      seen['native'] = sorted(name for name, module in sys.modules.items() if getattr(module, '__file__', None) and module.__file__.endswith('.so'))
      seen['pages'] = sum(memory[at:at + 8].count(0) == 8 for at in range(4096, SIZE, 65536))
      return seen
`

/** Every session must draw different numbers. */
const DRAW = py`
  import os, random, secrets, uuid, numpy as np
  [np.random.rand(), int(np.random.randint(2**31)), np.random.default_rng().random(), np.random.RandomState().rand(),
   random.random(), random.SystemRandom().random(), uuid.uuid4().hex, secrets.token_hex(8), os.urandom(8).hex()]
`
const HASHES = 'hash("wombat"), hash(b"wombat"), hash(frozenset(["a", "b"]))'

/** What tenants do with packages, in addition to `DEEDS`. */
const PACKAGE_DEEDS: readonly ((tenant: Tenant) => Promise<unknown>)[] = [
  ({ session, secret }) =>
    session.execute(py`
      import numpy as np, pandas as pd, matplotlib as mpl, matplotlib.pyplot as plt
      np.random.seed(7); np.seterr(all='raise'); np.set_printoptions(precision=2); np.left = '${secret}'
      np.sum = lambda *a: '${secret}'; np.ndarray.__doc__
      pd.set_option('display.max_rows', 3); pd.DataFrame.left = '${secret}'; pd.core.frame.DataFrame.sum = None
      mpl.rcParams['axes.titlesize'] = 77; mpl.rcParams['savefig.dpi'] = 33; plt.style.use('ggplot')
      texts = np.array(['${secret}'] * 1000); objects = np.array(['${secret}' + str(n) for n in range(1000)], dtype=object)
      frame = pd.DataFrame({'${secret}': texts, 'b': pd.Categorical(texts)})
    `),
  // Grows the memory and writes much of it.
  ({ session, secret }) =>
    session.execute(py`
      import numpy as np
      block = np.frombuffer(b'${secret}' * 6_000_000, 'uint8').copy(); int(block.sum() > 0)
    `),
  ({ session, secret }) =>
    session.execute(py`
      import matplotlib.pyplot as plt, io, pandas as pd
      figure, axes = plt.subplots(); axes.plot([1, 2], label='${secret}'); axes.set_title('${secret}')
      out = io.BytesIO(); figure.savefig(out, format='svg')
      pd.DataFrame({'${secret}': range(50)}).to_excel('/tmp/left.xlsx'); pd.read_excel('/tmp/left.xlsx')
      reader = pd.read_csv(io.StringIO('a\n' + '${secret}\n' * 1000), chunksize=10); next(reader)
    `),
  async ({ session, secret }) => {
    const code = py`
      import numpy as np
      left = np.array(['${secret}'] * 1000)
      while True: left = np.sort(left)
    `
    await rejectionOf(TimeoutError, session.execute(code, { timeoutMs: 30 }))
  },
  async ({ session, secret }) => {
    await session.execute(py`
      import ctypes, logging, warnings, pandas as pd, numpy as np
      left = ctypes.create_string_buffer(b'${secret}' * 100); ctypes.memmove(left, b'${secret}', 8)
      logging.basicConfig(); logging.getLogger('${secret}').warning('${secret}')
      warnings.simplefilter('error')
      np.seterrcall(lambda *a: '${secret}')
    `)
    await session.set('numbers', Float64Array.of(1, 2, 3))
    await session.execute('numbers = np.tile(numbers, 1000); table = pd.DataFrame({"n": numbers})')
    const snapshot = await session.snapshotState()
    await session.execute('table["n"] += 1; del numbers')
    await session.restoreState(snapshot)
    expect((await session.execute('float(numbers.sum())')).value).toBe(6000)
    await session.hibernate()
    expect((await session.execute('float(table.n.sum())')).value).toBe(6000)
  },
]

/** With the large image, tenants also import packages that are not preloaded. */
const MANY_DEEDS: typeof PACKAGE_DEEDS = [
  ({ session, secret }) =>
    session.execute(py`
      import numpy as np, scipy.optimize, sklearn.linear_model
      model = sklearn.linear_model.LinearRegression().fit(np.arange(20).reshape(-1, 1), np.arange(20)); model.left = '${secret}'
      sklearn.set_config(assume_finite=True); scipy.left = '${secret}'
      scipy.optimize.minimize(lambda x: (x - 1) ** 2, 5.0).x
    `),
  ({ session, secret }) =>
    session.execute(py`
      from lxml import etree
      import pydantic
      left = etree.fromstring('<a>' + '<b>${secret}</b>' * 1000 + '</a>')
      Left = pydantic.create_model('Left', name=(str, '${secret}')); kept = [Left() for _ in range(100)]
    `),
]

const ALL_DEEDS = [...PACKAGE_DEEDS, ...(MANY ? MANY_DEEDS : []), ...DEEDS]
/** Default: each deed once, and one lease after the last. */
const LEASES = Number(process.env.LEASES ?? ALL_DEEDS.length + 1)

describe.skipIf(WHEELS === undefined)('tenants on a slot with packages', () => {
  let manager: SessionManager
  let storage: VfsStorage
  let code: string
  let expected: string

  beforeAll(async () => {
    const image = await realImage()
    code = `${look(image.booted.memoryBytes)}\n${PACKAGE_STATE}\n(repr(probe()), repr(package_state()))`
    manager = await openManager({ image, slots: 1 })
    storage = new VfsStorage({ maxBytes: 64 * 2 ** 20 })
    // The expected result is that of a slot that has just booted.
    const fresh = await openManager({ image, slots: 1, slotReuse: 'never' })
    const session = await fresh.createSession({ tenant: 'fresh' })
    expected = String((await session.execute(code)).value)
    await fresh.close()
  }, 900_000)

  afterAll(async () => {
    await manager?.close()
    await storage?.close()
  })

  async function misbehave(lease: number): Promise<void> {
    const deed = ALL_DEEDS[lease % ALL_DEEDS.length] as (typeof ALL_DEEDS)[number]
    await using session = await manager.createSession({
      tenant: `tenant-${lease}`,
      vfs: storage,
      checkpoint: lease % 2 === 0 ? 'auto' : 'manual',
      env: { SECRET: `${CANARY}${lease}`, ...(lease % 3 === 0 ? { TZ: 'Asia/Tokyo' } : {}) },
      callbacks: {
        suspends: (_: unknown, { suspend }: CallbackContext) => suspend('later'),
        never: () => new Promise(() => {}),
      },
    })
    await deed({ session, secret: `${CANARY}${lease}-` })
  }

  test('control: the probe detects what a tenant left behind', async () => {
    await using session = await manager.createSession({ tenant: 'control' })
    await session.execute(
      `import numpy; numpy.seterr(all='raise'); left = ['${CANARY}' + str(n) for n in range(100)]`,
    )
    const { value } = await session.execute(code)
    expect(Number(/'secrets': (\d+)/.exec(String(value))?.[1])).toBeGreaterThan(100)
    expect(String(value)).toContain("'divide': 'raise'")
    expect(expected).toContain("'divide': 'warn'")
    expect(expected).toMatch(/'secrets': 1\b/)
  })

  test(`S1: ${LEASES} leases leave nothing behind, and each session draws its own random numbers`, {
    timeout: 120_000 + 6_000 * LEASES,
  }, async () => {
    const { boots } = manager.stats().counters
    const rss: number[] = []
    const draws: unknown[][] = []
    const hashes = new Set<string | undefined>()
    const startedMs = performance.now()
    for (let lease = 0; lease < LEASES; lease++) {
      await misbehave(lease)
      await using session = await manager.createSession({ tenant: `probe-${lease}` })
      const value = String((await session.execute(code)).value)
      if (value !== expected) expect(parts(value), `after lease ${lease}`).toEqual(parts(expected))
      draws.push((await session.execute(DRAW)).value as unknown[])
      hashes.add((await session.execute(HASHES)).repr)
      rss.push(process.memoryUsage.rss())
    }
    const { counters } = manager.stats()
    // No deed ends its thread.
    expect(counters.boots - boots).toBeLessThanOrEqual(1)
    expect(counters.crashes).toBe(0)
    expect(counters.renewals).toBeGreaterThanOrEqual(2 * LEASES - 2)
    // The hash seed is the image's, as documented. All other random values differ between sessions.
    expect(hashes.size).toBe(1)
    for (const [at] of draws[0]?.entries() ?? [])
      expect(new Set(draws.map((drawn) => drawn[at])).size, `number ${at}`).toBe(LEASES)
    const half = rss.length >> 1
    const [before, after] = [Math.max(...rss.slice(0, half)), Math.max(...rss.slice(half))]
    if (LEASES >= 500)
      console.log(
        `${LEASES} leases in ${Math.round((performance.now() - startedMs) / 1000)} s, resident at most ${before >> 20} MiB in the first half, ${after >> 20} in the second`,
      )
    expect(after).toBeLessThan(before + 96 * 2 ** 20)
  })
})
