// A11: the parts of the standard library that need no process, thread or network.
import { expect, test } from 'vitest'
import { py, pythonErrorOf } from '../support/session-code.js'
import { describeSessions, fresh, thawed } from '../support/session-modes.js'

/** Module -> code whose value must be true. */
const BEHAVIOUR: Readonly<Record<string, string>> = {
  sqlite3: py`
    import sqlite3
    db = sqlite3.connect(':memory:')
    db.execute('create table t (a integer primary key, b text)')
    db.executemany('insert into t (b) values (?)', [('x',), ('y',), ('é',)])
    db.create_function('twice', 1, lambda s: s * 2)
    db.execute('select count(*), max(b), twice(min(b)) from t').fetchone() == (3, 'é', 'xx')
  `,
  'sqlite3 in a file': py`
    import os, sqlite3
    with sqlite3.connect('/tmp/base.db') as db:
        db.execute('create table t (a)')
        db.execute('insert into t values (1)')
    db.close()
    try:
        with sqlite3.connect('/tmp/base.db') as db:
            db.execute('insert into t values (2)')
            raise ValueError
    except ValueError:
        pass
    db.execute('select a from t').fetchall() == [(1,)] and os.path.getsize('/tmp/base.db') > 0
  `,
  csv: py`
    import csv, io
    out = io.StringIO()
    csv.writer(out).writerows([['a', 'b,c'], ['d"', 1]])
    out.getvalue() == 'a,"b,c"\r\n"d""",1\r\n' and list(csv.DictReader(out.getvalue().splitlines())) == [{'a': 'd"', 'b,c': '1'}]
  `,
  json: py`
    import json
    json.loads(json.dumps({'a': [1, 2.5, None, True, 'é']}, indent=1)) == {'a': [1, 2.5, None, True, 'é']}
  `,
  re: py`
    import re
    re.sub(r'(?P<y>\d{4})-(\d\d)', r'\2/\g<y>', 'on 2026-11') == 'on 11/2026' and re.findall(r'\w+', 'é ö') == ['é', 'ö']
  `,
  decimal: py`
    from decimal import Decimal, ROUND_HALF_UP, localcontext
    with localcontext(prec=50):
        root = Decimal(2).sqrt()
    str(root)[:12] == '1.4142135623' and Decimal('2.675').quantize(Decimal('.01'), ROUND_HALF_UP) == Decimal('2.68')
  `,
  datetime: py`
    from datetime import date, datetime, timedelta
    datetime.strptime('23 Nov 2026', '%d %b %Y') + timedelta(days=9) == datetime(2026, 12, 2) and date(2024, 2, 29).isoformat() == '2024-02-29'
  `,
  zoneinfo: py`
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo, available_timezones
    summer = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo('Europe/Berlin'))
    winter = datetime(2026, 12, 1, 12, tzinfo=ZoneInfo('America/New_York'))
    summer.utcoffset() == timedelta(hours=2) and winter.tzname() == 'EST' and len(available_timezones()) > 400
  `,
  pathlib: py`
    from pathlib import Path
    base = Path('/tmp/paths/deep')
    base.mkdir(parents=True)
    (base / 'a.txt').write_text('one\ntwo')
    (base / 'b.txt').write_bytes(b'\x00')
    (base / 'a.txt').rename(base / 'c.txt')
    sorted(p.name for p in Path('/tmp/paths').rglob('*.txt')) == ['b.txt', 'c.txt'] and (base / 'c.txt').read_text().splitlines() == ['one', 'two']
  `,
  tempfile: py`
    import os, tempfile
    with tempfile.TemporaryDirectory() as folder:
        with tempfile.NamedTemporaryFile('w+', dir=folder) as file:
            file.write('text'); file.seek(0)
            inside = file.read() == 'text' and os.path.dirname(file.name) == folder
    with tempfile.TemporaryFile() as file:
        file.write(b'x' * 100_000); file.seek(-1, 2); last = file.read()
    with tempfile.SpooledTemporaryFile(10) as file:
        file.write(b'more than ten bytes'); file.seek(0); spooled = file.read(4)
    inside and not os.path.exists(folder) and last == b'x' and spooled == b'more'
  `,
  zipfile: py`
    import io, zipfile
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('dir/a.txt', 'text' * 1000)
    with zipfile.ZipFile('/tmp/on-disk.zip', 'w') as archive:
        archive.writestr('b', b'b')
    with zipfile.ZipFile(out) as archive, zipfile.ZipFile('/tmp/on-disk.zip') as disk:
        ok = archive.testzip() is None and archive.read('dir/a.txt') == b'text' * 1000 and disk.namelist() == ['b']
    ok and len(out.getvalue()) < 400
  `,
  hashlib: py`
    import hashlib
    (hashlib.sha256(b'abc').hexdigest().startswith('ba7816bf') and hashlib.md5(b'').hexdigest().startswith('d41d8cd9')
     and hashlib.blake2b(b'x', digest_size=8).digest_size == 8 and hashlib.sha3_256(b'').hexdigest().startswith('a7ffc6f8'))
  `,
  uuid: py`
    import uuid
    uuid.uuid4().version == 4 and uuid.uuid4() != uuid.uuid4() and str(uuid.uuid5(uuid.NAMESPACE_DNS, 'python.org')).startswith('886313e1')
  `,
  random: py`
    import random
    random.seed(42)
    first = [random.random(), random.randint(1, 6), random.choice('abc')]
    random.seed(42)
    first == [random.random(), random.randint(1, 6), random.choice('abc')] and random.SystemRandom().random() < 1 and abs(first[0] - 0.6394267984578837) < 1e-15
  `,
  pickle: py`
    import collections, pickle
    Row = collections.namedtuple('Row', 'a b')
    class Point:
        def __init__(self, x): self.x = x
    data = {'rows': [Row(1, 'é')], 'f': len, 'deep': {(1, 2): frozenset({3})}}
    all(pickle.loads(pickle.dumps(data, p)) == data for p in range(pickle.HIGHEST_PROTOCOL + 1)) and pickle.loads(pickle.dumps(Point(5))).x == 5
  `,
  dataclasses: py`
    from dataclasses import asdict, dataclass, field, replace
    @dataclass(order=True, frozen=True)
    class Item:
        price: float
        name: str = 'x'
        tags: list = field(default_factory=list, compare=False)
    a = Item(1.5)
    repr(a) == "Item(price=1.5, name='x', tags=[])" and a < replace(a, price=2) and asdict(a)['tags'] == []
  `,
  enum: py`
    import enum
    class Colour(enum.Enum):
        RED = enum.auto()
        BLUE = enum.auto()
    class Perm(enum.Flag):
        R = 4
        W = 2
    Colour(2) is Colour.BLUE and [c.name for c in Colour] == ['RED', 'BLUE'] and (Perm.R | Perm.W).value == 6
  `,
  typing: py`
    import typing
    T = typing.TypeVar('T')
    class Box(typing.Generic[T]): pass
    class Named(typing.NamedTuple):
        a: int
        b: str = 'x'
    def f(x: int, y: 'typing.Optional[str]' = None) -> list[int]: ...
    typing.get_args(Box[int]) == (int,) and Named(1).b == 'x' and typing.get_type_hints(f)['y'] == typing.Optional[str]
  `,
  'collections, itertools, functools': py`
    import collections, functools, itertools
    @functools.lru_cache
    def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
    collections.Counter('abba').most_common(1) == [('a', 2)] and list(itertools.batched('abc', 2)) == [('a', 'b'), ('c',)] and fib(80) == 23416728348467685
  `,
  'statistics, math, fractions': py`
    import fractions, math, statistics
    statistics.stdev([1, 2, 3, 4]) == 1.2909944487358056 and math.prod(range(1, 6)) == 120 and fractions.Fraction('0.75') == fractions.Fraction(3, 4)
  `,
  'shutil, glob and os': py`
    import glob, os, shutil
    os.makedirs('/tmp/tree/sub'); open('/tmp/tree/sub/f', 'w').close()
    shutil.copytree('/tmp/tree', '/tmp/copy'); shutil.make_archive('/tmp/packed', 'zip', '/tmp/tree')
    found = glob.glob('/tmp/copy/**/f', recursive=True)
    shutil.rmtree('/tmp/copy')
    found == ['/tmp/copy/sub/f'] and not os.path.exists('/tmp/copy') and os.path.exists('/tmp/packed.zip')
  `,
  'gzip, bz2, zlib, tarfile': py`
    import bz2, gzip, io, tarfile, zlib
    data = b'data' * 1000
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w:gz') as tar:
        info = tarfile.TarInfo('a'); info.size = 4
        tar.addfile(info, io.BytesIO(b'text'))
    with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as tar:
        member = tar.extractfile('a').read()
    member == b'text' and all(m.decompress(m.compress(data)) == data for m in (bz2, gzip, zlib))
  `,
  'base64, struct, binascii, hmac, secrets': py`
    import base64, binascii, hmac, secrets, struct
    base64.b64decode(base64.b64encode(b'\xff')) == b'\xff' and struct.pack('<Id', 1, 0.5).hex() == '01000000000000000000e03f' and binascii.crc32(b'a') == 3904355907 and len(hmac.digest(b'k', b'm', 'sha256')) == 32 and len(secrets.token_hex(8)) == 16
  `,
  'xml, html, urllib.parse, email': py`
    import email, html, urllib.parse, xml.etree.ElementTree as ET
    tree = ET.fromstring('<a x="1"><b>t&amp;</b></a>')
    tree.find('b').text == 't&' and html.escape('<é>') == '&lt;é&gt;' and urllib.parse.quote('a b/é') == 'a%20b/%C3%A9' and email.message_from_string('Subject: hi\n\nbody')['subject'] == 'hi'
  `,
  'string, textwrap, unicodedata, difflib': py`
    import difflib, string, textwrap, unicodedata
    textwrap.dedent('  a\n  b') == 'a\nb' and string.Template('$x').substitute(x=1) == '1' and unicodedata.normalize('NFD', 'é') == 'e\u0301' and difflib.SequenceMatcher(None, 'abcd', 'bcde').ratio() == 0.75
  `,
  'logging, argparse, configparser, tomllib': py`
    import argparse, configparser, logging, tomllib
    parser = argparse.ArgumentParser(); parser.add_argument('--n', type=int)
    ini = configparser.ConfigParser(); ini.read_string('[s]\nk = v')
    parser.parse_args(['--n', '3']).n == 3 and ini['s']['k'] == 'v' and tomllib.loads('a = [1]') == {'a': [1]} and logging.getLogger('x').getEffectiveLevel() == logging.WARNING
  `,
  'abc, contextlib, copy, heapq, bisect, weakref': py`
    import abc, bisect, contextlib, copy, heapq, weakref
    class Shape(abc.ABC):
        @abc.abstractmethod
        def area(self): ...
    try: Shape(); abstract = False
    except TypeError: abstract = True
    with contextlib.suppress(KeyError): {}['x']
    abstract and copy.deepcopy([[1]]) == [[1]] and heapq.nsmallest(2, [3, 1, 2]) == [1, 2] and bisect.bisect([1, 3], 2) == 1
  `,
  'ast, dis, inspect, tokenize': py`
    import ast, inspect
    ast.literal_eval("{'a': (1, 2)}") == {'a': (1, 2)} and ast.unparse(ast.parse('x=1')) == 'x = 1' and str(inspect.signature(lambda a, *, b=1: 0)) == '(a, *, b=1)'
  `,
  'locale, calendar, time': py`
    import calendar, locale, time
    calendar.monthrange(2024, 2) == (3, 29) and time.strftime('%Y-%m-%d', time.gmtime(0)) == '1970-01-01' and time.gmtime().tm_year >= 2026
  `,
  unittest: py`
    import io, unittest
    class T(unittest.TestCase):
        def test(self): self.assertEqual(1, 1)
    unittest.TextTestRunner(io.StringIO()).run(unittest.defaultTestLoader.loadTestsFromTestCase(T)).wasSuccessful()
  `,
  'threading without threads': py`
    import queue, threading
    lock = threading.RLock(); local = threading.local(); local.x = 1
    q = queue.Queue(); q.put(1)
    with lock: got = q.get_nowait()
    got == 1 and threading.current_thread() is threading.main_thread()
  `,
}

// The modes after a reset or a renewal are left out here; smaller suites cover them.
describeSessions(
  'standard library',
  (open) => {
    test.each(Object.entries(BEHAVIOUR))('A11: %s works as in CPython', async (_, code) => {
      // All in one tenant, so that this many tests do not need a worker each.
      const session = await open({ tenant: 'stdlib' })
      expect((await session.execute(code)).value).toBe(true)
    })

    test('A11: time.sleep waits for the given time', async () => {
      const session = await open()
      const startedMs = performance.now()
      const { value } = await session.execute(py`
      import time
      started = time.monotonic(), time.time(), time.perf_counter()
      time.sleep(0.2)
      [now - then for now, then in zip((time.monotonic(), time.time(), time.perf_counter()), started)]
    `)
      for (const seconds of value as number[]) {
        expect(seconds).toBeGreaterThanOrEqual(0.199)
        expect(seconds).toBeLessThan(5)
      }
      expect(performance.now() - startedMs).toBeGreaterThanOrEqual(199)
    })

    test('A11: time.sleep does not burn CPU', async () => {
      const session = await open()
      await session.execute('import time; time.sleep(0.01)')
      const before = process.cpuUsage()
      await session.execute('time.sleep(1)')
      const { user, system } = process.cpuUsage(before)
      expect((user + system) / 1000).toBeLessThan(500)
    })

    test('A11: asyncio.run waits for its timers without burning CPU', async () => {
      const session = await open()
      await session.execute('import asyncio; asyncio.run(asyncio.sleep(0.01))')
      const before = process.cpuUsage()
      await session.execute('asyncio.run(asyncio.sleep(1))')
      const { user, system } = process.cpuUsage(before)
      expect((user + system) / 1000).toBeLessThan(500)
    })

    test('A11: time.sleep rejects the same arguments as in CPython', async () => {
      const session = await open()
      expect((await pythonErrorOf(session.execute('import time; time.sleep(-1)'))).type).toBe('ValueError')
      expect((await pythonErrorOf(session.execute('time.sleep("1")'))).type).toBe('TypeError')
    })

    test('A11: input() raises EOFError and shows its prompt', async () => {
      const session = await open()
      const error = await pythonErrorOf(session.execute('input("name? ")'))
      expect(error).toMatchObject({ type: 'EOFError', stdout: 'name? ' })
    })

    test('A11: sys.stdin is at end of file', async () => {
      const session = await open()
      expect((await session.execute('import os, sys; sys.stdin.read(), os.read(0, 10)')).value).toEqual([
        '',
        new Uint8Array(),
      ])
    })

    test('A11: time.time() is the real time', async () => {
      const session = await open()
      const beforeMs = Date.now()
      const { value } = await session.execute('import time; time.time() * 1000')
      expect(value).toBeGreaterThanOrEqual(beforeMs - 2)
      expect(value).toBeLessThanOrEqual(Date.now() + 2)
    })

    test('A11: the time zone is UTC, or that of the option env.TZ', async () => {
      const code = py`
      import time
      from datetime import datetime
      moment = time.localtime(1_767_225_600 + 86_400 * 190)
      moment.tm_hour, moment.tm_isdst, datetime(2026, 1, 1).astimezone().utcoffset().total_seconds(), time.timezone
    `
      const [utc, berlin] = [await open(), await open({ env: { TZ: 'Europe/Berlin' } })]
      expect((await utc.execute(code)).value).toEqual([0, 0, 0, 0])
      expect((await berlin.execute(code)).value).toEqual([2, 1, 3600, -3600])
    })

    test('A11: time and datetime agree on the names of the time zone', async () => {
      const code = py`
      import time
      from datetime import datetime
      winter, summer = 1_767_225_600, 1_767_225_600 + 86_400 * 190
      [time.tzname, time.altzone, time.daylight] + [
        [time.localtime(at).tm_zone, time.strftime('%Z', time.localtime(at)), datetime.fromtimestamp(at).astimezone().tzname()]
        for at in (winter, summer, winter)
      ]
    `
      const zone = async (TZ: string) => (await (await open({ env: { TZ } })).execute(code)).value
      const three = (name: string) => [name, name, name]
      expect(await zone('UTC')).toEqual([['UTC', 'UTC'], 0, 0, three('UTC'), three('UTC'), three('UTC')])
      expect(await zone('Europe/Berlin')).toEqual([
        ...[['CET', 'CEST'], -7200, 1],
        ...[three('CET'), three('CEST'), three('CET')],
      ])
      expect(await zone('America/New_York')).toEqual([
        ...[['EST', 'EDT'], 14_400, 1],
        ...[three('EST'), three('EDT'), three('EST')],
      ])
      expect(await zone('Asia/Kathmandu')).toEqual([
        ...[['+0545', '+0545'], -20_700, 0],
        ...[three('+0545'), three('+0545'), three('+0545')],
      ])
    })

    test('A11: the version is CPython 3.14', async () => {
      const session = await open()
      const code = 'import platform, sys; platform.python_implementation(), list(sys.version_info[:2])'
      expect((await session.execute(code)).value).toEqual(['CPython', [3, 14]])
    })

    test('A11: code that needs a process, a thread or the network raises an error, and the session continues', async () => {
      const session = await open()
      await session.execute('kept = 1')
      for (const code of [
        'import subprocess; subprocess.run(["true"])',
        'import threading; threading.Thread(target=print).start()',
        'import urllib.request; urllib.request.urlopen("http://127.0.0.1:9/")',
        'import socket; socket.create_connection(("127.0.0.1", 9))',
        'import multiprocessing; multiprocessing.Process(target=print).start()',
        'import os; os.fork()',
      ]) {
        await pythonErrorOf(session.execute(code))
        expect(await session.get('kept'), code).toBe(1)
      }
    })
  },
  [fresh, thawed],
)
