// B1, B2: an execution that passes its deadline is stopped by an interrupt, or loses its worker.
import { PythonError, TimeoutError } from 'brumate'
import { expect, test } from 'vitest'
import { expectTyped, py, rejectionOf } from '../support/session-code.js'
import { describeSessions, fresh } from '../support/session-modes.js'
import { scaled } from '../support/slowness.mjs'

const TIMEOUT_MS = scaled(30)
/** For code that must reach a certain point before its deadline. */
const LONG_TIMEOUT_MS = scaled(100)
const GRACE_MS = scaled(15)
/** For code that obeys the interrupt: a starved machine must not turn that into a lost worker. */
const PATIENT = { limits: { interruptGraceMs: 5000 } }

/** Checks that the promise rejects with a TimeoutError no sooner than the deadline. The benchmark `stopping` measures how soon after. */
async function timeoutOf(
  run: (options: { timeoutMs: number }) => Promise<unknown>,
  outcome: 'interrupted' | 'restored',
  timeoutMs = TIMEOUT_MS,
): Promise<TimeoutError> {
  const startedMs = performance.now()
  const error = await rejectionOf(TimeoutError, run({ timeoutMs }))
  const elapsedMs = performance.now() - startedMs
  expectTyped(error, 'TIMEOUT')
  expect(error).toMatchObject({ timeoutMs, outcome })
  // Timers may fire up to a millisecond early.
  expect(elapsedMs).toBeGreaterThanOrEqual(timeoutMs - 1)
  return error
}

const STOPS_WHEN_INTERRUPTED: readonly (readonly [what: string, code: string])[] = [
  ['an endless loop', 'while True: pass'],
  ['an endless loop in a function', 'def f():\n    while True: pass\nf()'],
  ['an endless recursion of generators', 'def g():\n    while True: yield\nfor _ in g(): pass'],
  ['a list that grows slowly', 'x = 0\nwhile True: x = [y for y in range(100)]'],
  ['a catastrophic regular expression', 'import re; re.match(r"(a+)+$", "a" * 64 + "b")'],
  ['big-integer work', '7 ** (10**8)'],
  ['time.sleep', 'import time; time.sleep(60)'],
  ['many short sleeps', 'import time\nwhile True: time.sleep(0.001)'],
  ['await asyncio.sleep', 'import asyncio; await asyncio.sleep(60)'],
  ['many short awaits', 'import asyncio\nwhile True: await asyncio.sleep(0)'],
  ['asyncio.gather', 'import asyncio; await asyncio.gather(asyncio.sleep(60), asyncio.sleep(61))'],
  [
    'a task that spins while the execution awaits',
    'import asyncio\nasync def spin():\n    while True: pass\nawait asyncio.create_task(spin())',
  ],
  [
    'a task that never lets another one run for long',
    'import asyncio\nasync def busy():\n    while True: await asyncio.sleep(0)\nt = asyncio.create_task(busy())\nawait asyncio.sleep(60)',
  ],
  ['asyncio.run', 'import asyncio; asyncio.run(asyncio.sleep(60))'],
  [
    'a loop in asyncio.run',
    'import asyncio\nasync def main():\n    while True: await asyncio.sleep(0)\nasyncio.run(main())',
  ],
  ['an endless __repr__', 'class C:\n    def __repr__(self):\n        while True: pass\nC()'],
  ['an endless _repr_html_', 'class C:\n    def _repr_html_(self):\n        while True: pass\nC()'],
  [
    'an endless loop in a comparison called from C',
    'class C:\n    def __lt__(self, other):\n        while True: pass\nsorted([C(), C()])',
  ],
  ['an endless writer', 'import os\nwhile True: os.write(1, b"")'],
]

const GOES_ON_WHEN_INTERRUPTED: readonly (readonly [what: string, code: string])[] = [
  [
    'a loop that swallows KeyboardInterrupt',
    'while True:\n    try:\n        while True: pass\n    except KeyboardInterrupt: pass',
  ],
  [
    'a loop that swallows BaseException',
    'while True:\n    try:\n        while True: pass\n    except BaseException: pass',
  ],
  [
    'a sleep that swallows KeyboardInterrupt',
    'import time\nwhile True:\n    try: time.sleep(60)\n    except KeyboardInterrupt: pass',
  ],
  [
    'an await that swallows BaseException',
    'import asyncio\nwhile True:\n    try: await asyncio.sleep(60)\n    except BaseException: pass',
  ],
  ['an endless finally', 'try:\n    while True: pass\nfinally:\n    while True: pass'],
  [
    'an endless __exit__',
    'class C:\n    def __enter__(self): pass\n    def __exit__(self, *a):\n        while True: pass\nwith C():\n    while True: pass',
  ],
  ['a loop in C', 'sum(range(10**12))'],
  [
    'a loop in C that calls C',
    'import collections, itertools; collections.deque(itertools.repeat(1), maxlen=0)',
  ],
  ['a search in C', 'all(iter(int, 1)) or any(iter(int, 1))'],
  ['an ignored SIGINT', 'import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass'],
  [
    'a SIGINT handler of its own',
    'import signal; signal.signal(signal.SIGINT, lambda *a: None)\nwhile True: pass',
  ],
]

describeSessions(
  'deadline',
  (open) => {
    test.each(STOPS_WHEN_INTERRUPTED)(
      'B1: %s is interrupted at the deadline, and the state stays',
      async (_, code) => {
        const session = await open(PATIENT)
        await session.execute('kept = 1')
        const error = await timeoutOf((limit) => session.execute(code, limit), 'interrupted')
        expect((error.cause as PythonError).type).toBe('KeyboardInterrupt')
        expect(await session.get('kept')).toBe(1)
        expect((await session.execute('import asyncio; await asyncio.sleep(0.001, 1)')).value).toBe(1)
      },
    )

    test.each(GOES_ON_WHEN_INTERRUPTED)(
      'B2: %s loses its worker after the grace period, and the session continues',
      async (_, code) => {
        const session = await open({ limits: { interruptGraceMs: GRACE_MS } })
        await session.execute('kept = 1')
        await timeoutOf(
          (limit) => session.execute(`kept = late = 2\n${code}`, limit),
          'restored',
          LONG_TIMEOUT_MS,
        )
        expect(session.executionCount).toBe(2)
        expect(await session.execute("kept, 'late' in globals()")).toMatchObject({
          value: [1, false],
          executionCount: 3,
        })
      },
    )

    test('B2: after a kill, objects, files, descriptors, tasks and modules are as the last completed call left them', async () => {
      const session = await open({ limits: { interruptGraceMs: GRACE_MS } })
      await session.execute(py`
        import asyncio, os, sqlite3, sys
        def squares():
            n = 0
            while True:
                yield n * n
                n += 1
        it = squares(); next(it); next(it)
        log = open('/tmp/log', 'w'); log.write('unflushed')
        db = sqlite3.connect(':memory:'); db.execute('create table t(n)'); db.execute('insert into t values (7)')
        os.environ['MADE'] = 'yes'; os.chdir('/tmp'); sys.mark = it
        async def later():
            await asyncio.sleep(0.01)
            return 'done'
        task = asyncio.create_task(later())
      `)
      const changes =
        'next(it); log.close(); db.execute("delete from t"); del os.environ["MADE"]; sys.mark = 0'
      await timeoutOf(
        (limit) => session.execute(`${changes}; os.chdir("/"); sum(range(10**12))`, limit),
        'restored',
        LONG_TIMEOUT_MS,
      )
      const { value } = await session.execute(py`
        log.flush()
        [next(sys.mark), open('/tmp/log').read(), db.execute('select n from t').fetchone(), db.in_transaction,
         os.environ['MADE'], os.getcwd(), await task]
      `)
      expect(value).toEqual([4, 'unflushed', [7], true, 'yes', '/tmp', 'done'])
    })

    test('B2: the state that an interrupted execution left survives when the next one is killed', async () => {
      // Enough for code that obeys the interrupt, even on a busy machine. The code that does not obey uses no processor time.
      const session = await open({ limits: { interruptGraceMs: scaled(1000) } })
      await timeoutOf(
        (limit) => session.execute('n = 0\nwhile True: n += 1', limit),
        'interrupted',
        LONG_TIMEOUT_MS,
      )
      const n = await session.get('n')
      const deaf = 'import time\nwhile True:\n    try: time.sleep(60)\n    except KeyboardInterrupt: pass'
      await timeoutOf((limit) => session.execute(deaf, limit), 'restored', LONG_TIMEOUT_MS)
      expect(await session.get('n')).toBe(n)
    })

    test('B1: an endless __str__ is interrupted while the exception is formatted', async () => {
      const session = await open(PATIENT)
      await session.execute('class Endless(Exception):\n    def __str__(self):\n        while True: pass')
      const { cause } = await timeoutOf(
        (limit) => session.execute('raise Endless', limit),
        'interrupted',
        LONG_TIMEOUT_MS,
      )
      expect(['Endless', 'KeyboardInterrupt']).toContain((cause as PythonError).type)
      expect((await session.execute('Endless.__name__')).value).toBe('Endless')
    })

    test('B1: a function called by sqlite3 is interrupted, and sqlite3 raises its own error', async () => {
      const session = await open(PATIENT)
      await session.execute(py`
        import sqlite3
        db = sqlite3.connect(':memory:')
        def spin():
            while True: pass
        db.create_function('spin', 0, spin)
      `)
      const { cause } = await timeoutOf(
        (limit) => session.execute("db.execute('select spin()').fetchone()", limit),
        'interrupted',
        LONG_TIMEOUT_MS,
      )
      expect((cause as PythonError).type).toBe('OperationalError')
      expect((await session.execute('db.execute("select 1").fetchone()')).value).toEqual([1])
    })

    test('B1: the state is that at the moment of the interrupt', async () => {
      const session = await open(PATIENT)
      await timeoutOf(
        (limit) => session.execute('n = 0\nwhile True: n += 1', limit),
        'interrupted',
        LONG_TIMEOUT_MS,
      )
      const n = (await session.get('n')) as number
      expect(n).toBeGreaterThan(1000)
      expect(await session.get('n')).toBe(n)
    })

    test('B1: the cause is the KeyboardInterrupt, with its traceback and the output so far', async () => {
      const session = await open(PATIENT)
      const code =
        'import sys\nprint("before")\nprint("oops", file=sys.stderr)\ndef f():\n    while True: pass\nf()'
      const { cause } = await timeoutOf(
        (limit) => session.execute(code, limit),
        'interrupted',
        LONG_TIMEOUT_MS,
      )
      expect(cause).toBeInstanceOf(PythonError)
      expect(cause).toMatchObject({ type: 'KeyboardInterrupt', stdout: 'before\n', stderr: 'oops\n' })
      expect((cause as PythonError).traceback).toMatch(/line 5, in f\n/)
    })

    test('B1: except and finally blocks of interrupted code run', async () => {
      const session = await open(PATIENT)
      const code = py`
        log = []
        try:
            while True: pass
        except KeyboardInterrupt:
            log.append('except')
            raise
        finally:
            log.append('finally')
      `
      await timeoutOf((limit) => session.execute(code, limit), 'interrupted', LONG_TIMEOUT_MS)
      expect(await session.get('log')).toEqual(['except', 'finally'])
    })

    test('B1: code that catches the interrupt and ends in time still times out, and its state stays', async () => {
      const session = await open(PATIENT)
      const code = 'try:\n    while True: pass\nexcept KeyboardInterrupt:\n    caught = True'
      await timeoutOf((limit) => session.execute(code, limit), 'interrupted', LONG_TIMEOUT_MS)
      expect(await session.get('caught')).toBe(true)
    })

    test('B1: the interrupt reaches the code that awaits, not the task it awaits', async () => {
      const session = await open(PATIENT)
      const code = py`
        import asyncio
        gate = asyncio.Event()
        async def pass_gate():
            await gate.wait()
            return 'through'
        task = asyncio.create_task(pass_gate())
        # Something that can still happen: else the await would be an error of its own.
        asyncio.get_running_loop().call_later(3600, gate.set)
        try:
            await task
        except BaseException as error:
            seen = type(error).__name__
            raise
      `
      await timeoutOf((limit) => session.execute(code, limit), 'interrupted', LONG_TIMEOUT_MS)
      const look = 'before = task.done(); gate.set(); seen, before, await task'
      expect((await session.execute(look)).value).toEqual(['KeyboardInterrupt', false, 'through'])
    })

    test('B1: the clock starts with the execution; time in the queue does not count', async () => {
      const session = await open(PATIENT)
      const first = session.execute('import time; time.sleep(0.5)')
      const second = session.execute('1', { timeoutMs: 300 })
      await first
      expect((await second).value).toBe(1)
    })

    test('B1: calls queued behind one that times out still run', async () => {
      const session = await open(PATIENT)
      const stuck = timeoutOf((limit) => session.execute('while True: pass', limit), 'interrupted')
      const queued = session.execute('2')
      await stuck
      expect((await queued).value).toBe(2)
    })

    test('B1: the call’s time limit overrides the session’s, which overrides the manager’s', async () => {
      const session = await open({ ...PATIENT, executionTimeoutMs: TIMEOUT_MS })
      expect(session.executionTimeoutMs).toBe(TIMEOUT_MS)
      await timeoutOf(() => session.execute('while True: pass'), 'interrupted')
      const nap = 'import time; time.sleep(0.3); 1'
      expect((await session.execute(nap, { timeoutMs: 20_000 })).value).toBe(1)
      expect((await session.execute(nap, { timeoutMs: null })).value).toBe(1)
    })

    test('B1: a changed executionTimeoutMs applies from the next call on', async () => {
      const session = await open({ ...PATIENT, executionTimeoutMs: TIMEOUT_MS })
      session.executionTimeoutMs = null
      expect((await session.execute('import time; time.sleep(0.3); 1')).value).toBe(1)
      session.executionTimeoutMs = TIMEOUT_MS
      await timeoutOf(() => session.execute('time.sleep(60)'), 'interrupted')
    })

    test('B1: get, set and clearState also obey the session’s time limit', async () => {
      const session = await open({ executionTimeoutMs: TIMEOUT_MS, limits: { interruptGraceMs: 20_000 } })
      const code = py`
        import datetime
        class Endless(datetime.tzinfo):
            def utcoffset(self, moment):
                while True: pass
        moment = datetime.datetime(2026, 1, 1, tzinfo=Endless())
        None
      `
      await session.execute(code)
      await rejectionOf(TimeoutError, session.get('moment'))
      expect((await session.execute('moment.year')).value).toBe(2026)
    })

    test('B1: an interrupt that arrives too late does not affect the next execution', async () => {
      const session = await open(PATIENT)
      for (let round = 0; round < 30; round++) {
        await session.execute(`sum(range(${round * 4000}))`, { timeoutMs: 1 }).catch((error) => {
          expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'interrupted' })
        })
        expect((await session.execute('x = 0\nfor i in range(3000): x += i\nx')).value).toBe(4_498_500)
      }
    })

    test('B1: no trace of the interrupt remains: the next execution can sleep, await and be interrupted', async () => {
      const session = await open(PATIENT)
      await timeoutOf((limit) => session.execute('while True: pass', limit), 'interrupted')
      expect((await session.execute('import time; time.sleep(0.05); 1')).value).toBe(1)
      expect((await session.execute('import asyncio; await asyncio.sleep(0.05, 2)')).value).toBe(2)
      await timeoutOf((limit) => session.execute('await asyncio.sleep(60)', limit), 'interrupted')
      await timeoutOf((limit) => session.execute('time.sleep(60)', limit), 'interrupted')
    })

    test('B2: options, listeners and a changed time limit survive the loss of the worker', async () => {
      let heard = ''
      const session = await open({
        env: { GIVEN: 'kept' },
        limits: { interruptGraceMs: GRACE_MS, outputBytes: 100 },
        onStdout: (chunk) => {
          heard += chunk
        },
      })
      session.executionTimeoutMs = 20_000
      const { id } = session
      await session.execute('x = "kept"')
      await timeoutOf((limit) => session.execute('sum(range(10**12))', limit), 'restored', LONG_TIMEOUT_MS)
      await session.execute('import os; print(os.environ["GIVEN"], x)')
      expect([heard, session.executionTimeoutMs, session.id]).toEqual(['kept kept\n', 20_000, id])
      await expect(session.execute('print("x" * 101)')).rejects.toMatchObject({ code: 'LIMIT' })
    })

    test('B2: calls queued behind a killed execution run in order in the new worker', async () => {
      const session = await open({ limits: { interruptGraceMs: GRACE_MS } })
      await session.execute('x = 10')
      const stuck = timeoutOf(
        (limit) => session.execute('x = 0; sum(range(10**12))', limit),
        'restored',
        LONG_TIMEOUT_MS,
      )
      const queued = [session.execute('x += 1; x'), session.execute('x += 1; x')]
      await stuck
      expect((await Promise.all(queued)).map(({ value }) => value)).toEqual([11, 12])
    })

    test('B2: a session survives being killed repeatedly', async () => {
      const session = await open({ limits: { interruptGraceMs: 0 } })
      await session.execute('rounds = []')
      for (let round = 1; round <= 3; round++) {
        const stuck = session.execute('rounds.clear(); sum(range(10**12))', { timeoutMs: TIMEOUT_MS })
        expect((await rejectionOf(TimeoutError, stuck)).outcome).toBe('restored')
        expect(session.executionCount).toBe(2 * round)
        await session.execute(`rounds.append(${round})`)
      }
      expect(await session.get('rounds')).toEqual([1, 2, 3])
    })

    test('B2: interruptGraceMs is the time that interrupted code may take to end', async () => {
      const session = await open({ limits: { interruptGraceMs: 2000 } })
      const code = 'import time\ntry:\n    while True: pass\nfinally:\n    time.sleep(0.5); ended = True'
      await rejectionOf(TimeoutError, session.execute(code, { timeoutMs: TIMEOUT_MS }))
      expect(await session.get('ended')).toBe(true)
    })
  },
  [fresh],
)
