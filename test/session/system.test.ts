// Python's environment: time zones, missing and emulated modules, host names, devices.
import type { Session, SessionManager } from 'brumate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { py, pythonErrorOf } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

let manager: SessionManager
let session: Session

beforeAll(async () => {
  manager = await sharedManager({ slots: 1 })
  session = await manager.createSession({ env: { TZ: 'CET-1CEST,M3.5.0,M10.5.0/3' } })
})
afterAll(() => session?.close())

const evaluate = async (code: string) => (await session.execute(code)).value

describe('time', () => {
  test('env.TZ may be a POSIX rule, and time.tzset follows os.environ', async () => {
    await session.execute(py`
      import os, time
      def zone(name=None):
          if name is not None:
              os.environ['TZ'] = name
              time.tzset()
          seen = [time.localtime(at) for at in (1_736_899_200, 1_752_537_600)]
          return [*time.tzname, time.timezone, *((t.tm_hour, t.tm_isdst, t.tm_zone) for t in seen)]
    `)
    const berlin = ['CET', 'CEST', -3600, [1, 0, 'CET'], [2, 1, 'CEST']]
    const utc = ['UTC', 'UTC', 0, [0, 0, 'UTC'], [0, 0, 'UTC']]
    expect(await evaluate('zone()')).toEqual(berlin)
    expect(await evaluate('[zone(name) for name in (":Europe/Berlin", "UTC0", "", "Mars/Base")]')).toEqual([
      berlin,
      utc,
      utc,
      utc,
    ])
    expect(await evaluate('zone("NZST-12NZDT,M9.5.0,M4.1.0/3")')).toEqual([
      ...['NZST', 'NZDT', -43_200],
      ...[
        [13, 1, 'NZDT'],
        [12, 0, 'NZST'],
      ],
    ])
    expect(await evaluate('zone("EST5EDT")')).toEqual(['EST', 'EDT', 18_000, [19, 0, 'EST'], [20, 1, 'EDT']])
  })

  test('a snapshot keeps the zone that code has chosen, and a reset restores the session’s zone', async () => {
    await session.execute('import os, time\nos.environ["TZ"] = "XYZ4"\ntime.tzset()')
    await session.restoreState(await session.snapshotState())
    expect(await evaluate('time.localtime(0).tm_hour, time.tzname')).toEqual([20, ['XYZ', 'XYZ']])
    await session.reset()
    expect(await evaluate('import time; time.localtime(0).tm_hour, time.tzname')).toEqual([
      1,
      ['CET', 'CEST'],
    ])
  })

  test('strftime supports the formats of CPython on Linux, and leaves unknown ones unchanged', async () => {
    const code = py`
      import time, datetime
      at = time.strptime('2024-03-05 09:07', '%Y-%m-%d %H:%M')
      texts = [time.strftime(f, at) for f in ('%l|%k|%P', '%Q', '%', '100%', '%H:%l', '%^a', '%-I%P', '%%', '')]
      [*texts, datetime.datetime(2024, 3, 5, 21, 7).strftime('%l:%M %P')]
    `
    expect(await evaluate(code)).toEqual([
      ...[' 9| 9|am', '%Q', '%', '100%', '09: 9', 'TUE', '9am', '%', ''],
      ' 9:07 pm',
    ])
  })

  test('the error of sleep and the module of the interrupt handler are the same as in CPython', async () => {
    expect((await pythonErrorOf(session.execute('import time; time.sleep([])'))).message).toBe(
      "TypeError: 'list' object cannot be interpreted as an integer or float",
    )
    expect(await evaluate('import signal; signal.default_int_handler.__module__')).toBe('_signal')
  })
})

describe('modules', () => {
  test('missing modules have no spec and are not listed as built in', async () => {
    const code = py`
      import importlib.util, sys
      absent = ['_ctypes', 'ctypes', 'curses', 'js', 'pyodide', 'pyodide_js']
      [[importlib.util.find_spec(name), name in sys.builtin_module_names] for name in absent]
    `
    expect(await evaluate(code)).toEqual(Array(6).fill([null, false]))
  })

  test('shelve and dbm store data in files', async () => {
    const code = py`
      import dbm, dbm.dumb, dbm.sqlite3, shelve
      with shelve.open('/tmp/shelf') as shelf:
          shelf['a'] = {'x': [1]}
          shelf['b'] = 2
          del shelf['b']
      with shelve.open('/tmp/shelf', 'r') as shelf:
          kept = dict(shelf)
      with dbm.dumb.open('/tmp/dumb', 'c') as data:
          data['k'] = 'v'
          data[b'long'] = b'x' * 2000
          data['k'] = 'w' * 600
          del data['long']
      with dbm.open('/tmp/dumb', 'r') as data:
          dumb = [(key, len(data[key])) for key in data]
          try:
              data['k'] = 'x'
          except OSError as error:
              refused = str(error)
      with dbm.sqlite3.open('/tmp/lite', 'n') as data:
          data[b'k'] = b'v'
          lite = [*data.items(), len(data), data.get('none')]
      try:
          dbm.open('/tmp/nothing')
      except dbm.error as error:
          missing = 'use' in str(error)
      [kept, dumb, refused, lite, missing, [dbm.whichdb('/tmp/' + name) for name in ('shelf', 'dumb', 'lite', 'none')]]
    `
    const bytes = (text: string) => new Uint8Array(Buffer.from(text))
    expect(await evaluate(code)).toEqual([
      { a: { x: [1] } },
      [[bytes('k'), 600]],
      'The database is opened for reading only',
      [[bytes('k'), bytes('v')], 1, null],
      true,
      ['dbm.sqlite3', 'dbm.dumb', 'dbm.sqlite3', null],
    ])
  })

  // Vectors of RFC 6070 and RFC 7914.
  test('key derivation matches the test vectors of the RFCs', async () => {
    const code = py`
      from hashlib import pbkdf2_hmac, scrypt
      [pbkdf2_hmac('sha1', b'password', b'salt', 2).hex(),
       pbkdf2_hmac('sha1', b'passwordPASSWORDpassword', b'saltSALTsaltSALTsaltSALTsaltSALTsalt', 4096, 25).hex(),
       pbkdf2_hmac('sha256', b'passwd', b'salt', 1, 64).hex(),
       scrypt(b'', salt=b'', n=16, r=1, p=1, dklen=64).hex()]
    `
    expect(await evaluate(code)).toEqual([
      'ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957',
      '3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038',
      '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783',
      '77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906',
    ])
  })
})

test('there is no browser and no terminal, and only local host names resolve', async () => {
  expect(await evaluate('import webbrowser; webbrowser.open("https://example.com")')).toBe(false)
  expect((await pythonErrorOf(session.execute('open("/dev/tty", "w")'))).message).toMatch(/No such device/)
  const code = 'import socket; [socket.gethostbyname(name) for name in ("localhost", "10.1.2.3", "127.1")]'
  expect(await evaluate(code)).toEqual(['127.0.0.1', '10.1.2.3', '127.0.0.1'])
  expect((await pythonErrorOf(session.execute('socket.gethostbyname("example.com")'))).type).toBe('gaierror')
})

/** Code -> the type of its error, and the start of the sentence that explains it. */
const IMPOSSIBLE: readonly (readonly [code: string, type: string, sentence: string])[] = [
  ['import threading; threading.Thread(target=print).start()', 'RuntimeError', 'sessions have one thread: '],
  [
    'import concurrent.futures as f; f.ThreadPoolExecutor().submit(print)',
    'RuntimeError',
    'sessions have one thread: ',
  ],
  [
    'import concurrent.futures as f; f.ProcessPoolExecutor()',
    'NotImplementedError',
    'sessions cannot start processes: ',
  ],
  ['import subprocess; subprocess.run(["ls"])', 'OSError', 'sessions cannot start processes: '],
  ['import os; os.fork()', 'OSError', 'sessions cannot start processes: '],
  ['import multiprocessing as m; m.Pool(2)', 'ModuleNotFoundError', 'Sessions cannot start processes: '],
  [
    'import asyncio; await asyncio.create_subprocess_shell("ls")',
    'NotImplementedError',
    'sessions cannot start processes: ',
  ],
  ['import curses', 'ModuleNotFoundError', 'Sessions have no terminal: '],
  ['import tkinter', 'ModuleNotFoundError', 'Sessions have no screen for windows: '],
  ['from pyodide.http import pyfetch', 'ModuleNotFoundError', 'Sessions have no JavaScript'],
  ['import signal; signal.alarm(1)', 'AttributeError', 'Sessions have no timer signals: '],
]

test.each(IMPOSSIBLE)('%s says what to do instead', async (code, type, sentence) => {
  const error = await pythonErrorOf(session.execute(code))
  expect(error.type).toBe(type)
  expect(error.message).toContain(sentence)
  expect(error.traceback).toContain(sentence)
})

test('os.system runs nothing and says so on stderr', async () => {
  const { value, stderr } = await session.execute('import os; os.system("ls")')
  expect(value).toBe(-1)
  expect(stderr).toContain('sessions cannot start processes')
})
