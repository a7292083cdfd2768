// Everything that behaviour C2 names: code that creates it in one session, and code that checks it in the restored one. Owns the list;
// survival.test.ts owns the ways of freezing and thawing.
import { py } from '../../support/py.js'

export interface Survivor {
  readonly name: string
  /** Cells, run one after the other before the freeze. */
  readonly before: readonly string[]
  /** Run after the thaw; its last expression is the answer. */
  readonly after: string
  readonly expected: unknown
}

const one = (name: string, before: string, after: string, expected: unknown): Survivor => ({
  name,
  before: [before],
  after,
  expected,
})

export const SURVIVORS: readonly Survivor[] = [
  one('None values', 'x = None; y = [None]', '(x is None, y == [None], "x" in globals())', [
    true,
    true,
    true,
  ]),
  one(
    'functions with defaults, keyword-only defaults, annotations and attributes',
    py`
      def f(a: int, b: "text" = [1], *, c: float = 2.5) -> list:
          "doc"
          b.append(a)
          return [a, b, c]
      f.calls = 7
      f(1)
    `,
    '[f(2), f.calls, f.__doc__, f.__kwdefaults__, str(f.__annotations__["b"])]',
    [[2, [1, 1, 2], 2.5], 7, 'doc', { c: 2.5 }, 'text'],
  ),
  one(
    'closures that share a cell',
    py`
      def make():
          n = 10
          def up():
              nonlocal n
              n += 1
              return n
          return up, lambda: n
      up, look = make()
      up()
    `,
    '[up(), look(), up(), look()]',
    [12, 12, 13, 13],
  ),
  one('lambdas', 'f = lambda *a, k=3: sum(a) * k', 'f(1, 2)', 9),
  one(
    'classes with methods, properties, class and static methods, inheritance',
    py`
      class Base:
          count = 0
          def __init__(self): type(self).count += 1
          def who(self): return 'base'
      class Child(Base):
          def who(self): return 'child of ' + super().who()
          @property
          def twice(self): return self.count * 2
          @classmethod
          def made(cls): return cls()
          @staticmethod
          def plain(x): return -x
      c = Child()
    `,
    '[c.who(), c.twice, type(Child.made()) is Child, Child.count, Child.plain(3), isinstance(c, Base)]',
    ['child of base', 2, true, 2, -3, true],
  ),
  one(
    'metaclasses',
    py`
      class Meta(type):
          def __new__(mcs, name, bases, ns): return super().__new__(mcs, name, bases, {**ns, 'made': name})
          def __getitem__(cls, n): return (cls.__name__, n)
      class A(metaclass=Meta): pass
    `,
    '[A.made, A[3], type(A) is Meta]',
    ['A', ['A', 3], true],
  ),
  one(
    'slots',
    'class S:\n    __slots__ = ("a", "b")\ns = S(); s.a = 1',
    '[s.a, hasattr(s, "b"), hasattr(s, "__dict__")]',
    [1, false, false],
  ),
  one(
    'Enum',
    py`
      import enum
      class Colour(enum.Enum):
          RED = 1
          BLUE = 'b'
      class Bits(enum.Flag):
          A = enum.auto(); B = enum.auto()
      red = Colour.RED
    `,
    '[red is Colour.RED, Colour("b").name, [c.name for c in Colour], repr(Bits.A | Bits.B), Colour["RED"] is red]',
    [true, 'BLUE', ['RED', 'BLUE'], '<Bits.A|B: 3>', true],
  ),
  one(
    'dataclasses, with repr and eq',
    py`
      from dataclasses import dataclass, field, replace
      @dataclass(order=True)
      class P:
          x: int
          tags: list = field(default_factory=list)
      p = P(1, ['a'])
    `,
    '[repr(p), p == P(1, ["a"]), P(0) < p, repr(replace(p, x=5))]',
    ["P(x=1, tags=['a'])", true, true, "P(x=5, tags=['a'])"],
  ),
  one(
    'namedtuple',
    'from collections import namedtuple\nN = namedtuple("N", "a b", defaults=[2])\nn = N(1)',
    '[repr(n), n.b, n == (1, 2), N._fields]',
    ['N(a=1, b=2)', 2, true, ['a', 'b']],
  ),
  one(
    'Generic classes',
    'from typing import Generic, TypeVar\nT = TypeVar("T")\nclass Box(Generic[T]):\n    pass\nclass New[U]: pass\nb = Box[int]()',
    '[repr(Box[int]).endswith("Box[int]"), type(b) is Box, New.__type_params__[0].__name__]',
    [true, true, 'U'],
  ),
  one(
    'abstract base classes',
    py`
      import abc
      class Shape(abc.ABC):
          @abc.abstractmethod
          def area(self): ...
      class Square(Shape):
          def area(self): return 4
      Shape.register(int)
    `,
    py`
      try:
          Shape(); failed = False
      except TypeError:
          failed = True
      [failed, Square().area(), isinstance(3, Shape), isinstance('', Shape)]
    `,
    [true, 4, true, false],
  ),
  one(
    'a context manager that has been entered',
    py`
      from contextlib import contextmanager, ExitStack
      log = []
      @contextmanager
      def noted(name):
          log.append('in ' + name)
          try: yield name
          finally: log.append('out ' + name)
      entered = noted('a'); entered.__enter__()
      stack = ExitStack(); stack.enter_context(noted('b'))
    `,
    'entered.__exit__(None, None, None); stack.close(); log',
    ['in a', 'in b', 'out a', 'out b'],
  ),
  one(
    'generators in the middle, with a finally to come',
    py`
      seen = []
      def g():
          try:
              got = yield 1
              while True: got = yield got * 2
          finally: seen.append('closed')
      it = g(); next(it); it.send(4)
      nested = (x * y for x in range(3) for y in (1, 10)); next(nested); next(nested)
    `,
    '[it.send(21), list(nested), it.close(), seen]',
    [42, [1, 10, 2, 20], null, ['closed']],
  ),
  one(
    'a coroutine in the middle',
    py`
      import asyncio
      class Stop:
          def __await__(self): return (yield 'waiting')
      async def work():
          total = 0
          for _ in range(3): total += await Stop()
          return total
      co = work(); co.send(None); co.send(5)
    `,
    py`
      co.send(6)
      try: co.send(7)
      except StopIteration as end: result = end.value
      result
    `,
    18,
  ),
  one(
    'an async generator in the middle',
    py`
      async def count():
          n = 0
          while True:
              n += 1
              yield n
      agen = count()
      await anext(agen), await anext(agen)
    `,
    'await anext(agen)',
    3,
  ),
  one(
    'tasks that go on, and futures they wait for',
    py`
      import asyncio
      future = asyncio.get_running_loop().create_future()
      done = []
      async def waiter():
          done.append(await future)
      task = asyncio.create_task(waiter())
      await asyncio.sleep(0)
    `,
    'future.set_result("later"); await task; done',
    ['later'],
  ),
  one(
    'iterators of itertools, csv and re',
    py`
      import csv, io, itertools, re
      a = itertools.chain.from_iterable([[1, 2], [3]]); next(a)
      b = itertools.groupby('aabbc'); next(b); next(b)
      c = csv.reader(io.StringIO('a,b\n"c\nd",e\nf,g\n')); next(c)
      d = re.finditer(r'\d+', 'x1y22z333'); next(d)
      e = zip(itertools.count(5), 'ab'); next(e)
    `,
    '[list(a), next(b)[0], list(c), [m[0] for m in d], list(e), c.line_num]',
    [
      [2, 3],
      'c',
      [
        ['c\nd', 'e'],
        ['f', 'g'],
      ],
      ['22', '333'],
      [[6, 'b']],
      4,
    ],
  ),
  one(
    'files open for reading, text and binary, in the middle',
    py`
      open('/tmp/lines', 'w').write('one\ntwo\nthree\n')
      text = open('/tmp/lines'); text.readline()
      raw = open('/tmp/lines', 'rb', buffering=0); raw.seek(4)
      both = open('/tmp/lines', 'r+b'); both.seek(-3, 2)
    `,
    '[text.readline(), text.read(), raw.read(3), both.tell(), text.mode, both.mode, text.name]',
    ['two\n', 'three\n', new TextEncoder().encode('two'), 11, 'r', 'rb+', '/tmp/lines'],
  ),
  one(
    'files open for writing and appending, with unflushed data',
    py`
      w = open('/tmp/w', 'w'); w.write('buffered ')
      a = open('/tmp/a', 'a'); a.write('first '); a.flush(); a.write('second ')
      x = open('/tmp/x', 'w+b'); x.write(b'0123456789'); x.seek(2)
    `,
    py`
      before = open('/tmp/w').read(), open('/tmp/a').read()
      w.write('data'); w.close(); a.write('third'); a.close()
      [before, open('/tmp/w').read(), open('/tmp/a').read(), x.read(3), x.write(b'AB'), x.seek(0), x.read()]
    `,
    [
      ['', 'first '],
      'buffered data',
      'first second third',
      new TextEncoder().encode('234'),
      2,
      0,
      new TextEncoder().encode('01234AB789'),
    ],
  ),
  one(
    'a closed file in globals',
    'f = open("/tmp/closed", "w"); f.write("x"); f.close()\ndef still(): return "here"\nclass Here: pass',
    '[f.closed, still(), Here.__name__]',
    [true, 'here', 'Here'],
  ),
  one(
    'a file that is unlinked and open, descriptors from dup, and a pipe',
    py`
      import os
      f = open('/tmp/gone', 'w+'); f.write('hidden'); f.flush(); os.unlink('/tmp/gone')
      d = os.dup(f.fileno()); os.lseek(d, 2, 0)
      r, w = os.pipe(); os.write(w, b'in the pipe')
    `,
    '[os.path.exists("/tmp/gone"), os.read(d, 10), os.lseek(f.fileno(), 0, 1), os.read(r, 6), os.write(w, b"!"), os.read(r, 99)]',
    [
      false,
      new TextEncoder().encode('dden'),
      6,
      new TextEncoder().encode('in the'),
      1,
      new TextEncoder().encode(' pipe!'),
    ],
  ),
  one(
    'temporary files and directories',
    'import tempfile\nt = tempfile.NamedTemporaryFile("w+"); t.write("temporary"); d = tempfile.TemporaryDirectory()',
    '[t.seek(0), t.read(), __import__("os").path.isdir(d.name), t.close(), __import__("os").path.exists(t.name)]',
    [0, 'temporary', true, null, false],
  ),
  one(
    'sqlite3 connections with an open transaction',
    py`
      import sqlite3
      m = sqlite3.connect(':memory:'); m.execute('create table t (a)'); m.commit()
      m.execute('insert into t values (1)')
      f = sqlite3.connect('/tmp/base.db'); f.execute('create table u (b)'); f.commit()
      f.execute('insert into u values (7)')
      cursor = m.execute('select a from t union select 2 union select 3'); cursor.fetchone()
    `,
    py`
      state = m.in_transaction, f.in_transaction
      rest = cursor.fetchall()
      m.rollback(); f.commit()
      [state, rest, m.execute('select count(*) from t').fetchone(), sqlite3.connect('/tmp/base.db').execute('select b from u').fetchall()]
    `,
    [[true, true], [[2], [3]], [0], [[7]]],
  ),
  one(
    'hashlib objects half fed',
    'import hashlib, hmac\nh = [hashlib.new(n, b"half ") for n in ("md5", "sha256", "sha3_512", "blake2b")]; k = hmac.new(b"k", b"half ", "sha1")',
    py`
      for x in [*h, k]: x.update(b'fed')
      [[x.hexdigest() == hashlib.new(x.name, b'half fed').hexdigest() for x in h], k.hexdigest() == hmac.new(b'k', b'half fed', 'sha1').hexdigest()]
    `,
    [[true, true, true, true], true],
  ),
  one(
    'compressors in the middle',
    'import zlib, io, zipfile\nz = zlib.compressobj(); head = z.compress(b"a" * 1000)\nu = zlib.decompressobj(); out = u.decompress(zlib.compress(b"b" * 5000)[:10])',
    '[zlib.decompress(head + z.compress(b"c") + z.flush()) == b"a" * 1000 + b"c", u.decompress(zlib.compress(b"b" * 5000)[10:]).count(b"b") + len(out)]',
    [true, 5000],
  ),
  one(
    'memoryview and what it exports',
    'b = bytearray(b"0123456789"); v = memoryview(b)[2:6]; w = v.cast("H")',
    py`
      v[0] = ord('X')
      try: b.append(1); locked = False
      except BufferError: locked = True
      [bytes(b), w[0] & 0xff, locked, v.obj is b]
    `,
    [new TextEncoder().encode('01X3456789'), 88, true, true],
  ),
  one(
    'tracebacks held in a variable',
    py`
      def inner(n): return 1 / n
      try: inner(0)
      except ZeroDivisionError as error: held = error
    `,
    'import traceback\n[traceback.format_exception(held)[-2].splitlines()[0].strip().split(", ")[1:], held.__traceback__.tb_next.tb_frame.f_locals["n"]]',
    [['line 1', 'in inner'], 0],
  ),
  one(
    'weak references and finalizers',
    py`
      import weakref
      class C: pass
      c = C(); r = weakref.ref(c); told = []
      weakref.finalize(c, told.append, 'gone')
      d = weakref.WeakValueDictionary({'c': c})
    `,
    'same = r() is c\ndel c\n[same, r() is None, told, len(d)]',
    [true, true, ['gone'], 0],
  ),
  one(
    'locks and queues',
    py`
      import asyncio, queue, threading
      lock = threading.Lock(); lock.acquire(); r = threading.RLock(); r.acquire()
      q = queue.Queue(); q.put('a'); q.put('b')
      s = asyncio.Semaphore(1); await s.acquire()
    `,
    '[lock.locked(), lock.release(), lock.locked(), r.release(), q.get(), q.qsize(), s.locked()]',
    [true, null, false, null, 'a', 1, true],
  ),
  one(
    'random.Random in the middle, and a seeded module',
    py`
      import random
      r = random.Random(7); r.random()
      random.seed(11); random.random()
      twin = random.Random(7); twin.random()
      other = random.Random(11); other.random()
    `,
    '[r.random() == twin.random(), r.gauss(0, 1) == twin.gauss(0, 1), random.random() == other.random(), random.randrange(10**9) == other.randrange(10**9)]',
    [true, true, true, true],
  ),
  one('threading.local', 'import threading\nl = threading.local(); l.x = 5', 'l.x', 5),
  one(
    'context variables and decimal contexts',
    'import contextvars, decimal\nv = contextvars.ContextVar("v"); v.set("set"); decimal.getcontext().prec = 4; copy = contextvars.copy_context()',
    '[v.get(), str(decimal.Decimal(1) / 3), copy[v]]',
    ['set', '0.3333', 'set'],
  ),
  one(
    'logging set up with handlers and levels',
    py`
      import io, logging
      stream = io.StringIO()
      logging.basicConfig(stream=stream, level=logging.INFO, format='%(name)s %(levelname)s %(message)s')
      log = logging.getLogger('app.part'); log.setLevel(logging.DEBUG)
    `,
    'log.debug("deep"); logging.info("root"); stream.getvalue()',
    'app.part DEBUG deep\nroot INFO root\n',
  ),
  one(
    'monkeypatches',
    'import json, collections\nold = json.dumps\njson.dumps = lambda *a: "patched"\nclass Counter(collections.Counter): pass\ncollections.Counter.extra = lambda self: "extra"',
    '[json.dumps(1), old([1]), Counter("aab").extra(), dict(collections.Counter("aab"))]',
    ['patched', '[1]', 'extra', { a: 2, b: 1 }],
  ),
  one(
    'functions imported by "from x import f"',
    'from math import sqrt as root, pi\nfrom json import dumps\nfrom collections import Counter\nfrom functools import lru_cache, partial\n@lru_cache\ndef slow(n): return n * 2\nslow(2); half = partial(pow, 2)',
    '[root(9), round(pi, 2), dumps([1]), Counter("aa")["a"], slow.cache_info().currsize, slow(2), slow.cache_info().hits, half(5)]',
    [3, 3.14, '[1]', 2, 1, 4, 1, 32],
  ),
  one(
    'sys.path, sys.modules, os.environ and the working directory',
    py`
      import os, sys, types
      sys.path.insert(0, '/tmp/mods'); os.makedirs('/tmp/mods/deep'); os.environ['MARK'] = 'kept'; os.chdir('/tmp/mods/deep')
      open('/tmp/mods/own_module.py', 'w').write('value = [1]\ndef add(): value.append(2)\n')
      import own_module; own_module.add()
      sys.modules['made'] = types.ModuleType('made'); sys.modules['made'].x = 3
      os.umask(0o077)
    `,
    'import made\n[sys.path[0], os.environ["MARK"], os.getcwd(), own_module.value, made.x, oct(os.umask(0)), os.listdir("..") == sorted(os.listdir("..")) or True]',
    ['/tmp/mods', 'kept', '/tmp/mods/deep', [1, 2], 3, '0o77', true],
  ),
  one(
    'recursive structures and identity across names',
    py`
      ring = []; ring.append(ring)
      d = {}; d['self'] = d
      shared = [1]; a = {'x': shared}; b = (shared, shared)
      class Node: pass
      n = Node(); n.peer = Node(); n.peer.peer = n
    `,
    'shared.append(2)\n[ring[0] is ring, d["self"] is d, a["x"] is b[0] is b[1] is shared, a["x"], n.peer.peer is n]',
    [true, true, true, [1, 2], true],
  ),
  one(
    'big values: integers, text of every width, nested data, 5 MB of bytes',
    'i = 7 ** 5000; t = "a" * 1000 + "é" * 1000 + "漢" * 1000 + "🐍" * 1000; n = {"k": [{"m": (1, {2, 3})}] * 50}; big = bytes(range(256)) * 20_000',
    '[i == 7 ** 5000, len(t), t[-1], n["k"][49]["m"][1] == {2, 3}, len(big), hash(big) == hash(bytes(range(256)) * 20_000)]',
    [true, 4000, '🐍', true, 5_120_000, true],
  ),
  one(
    'the last value, warnings filters, signal handlers and the recursion limit',
    py`
      import signal, sys, warnings
      warnings.simplefilter('error', DeprecationWarning); sys.setrecursionlimit(500)
      signal.signal(signal.SIGINT, lambda *a: hits.append(1)); hits = []
      40 + 2
    `,
    py`
      last = _
      try: warnings.warn('old', DeprecationWarning); raised = False
      except DeprecationWarning: raised = True
      signal.raise_signal(signal.SIGINT)
      [last, raised, sys.getrecursionlimit(), hits]
    `,
    [42, true, 500, [1]],
  ),
  {
    name: 'code of many cells, with source lines in their tracebacks',
    before: ['def first():\n    return second()', 'def second():\n    raise KeyError("deep")', 'x = 1'],
    after: py`
      import traceback
      try: first()
      except KeyError: lines = [f.line for f in traceback.extract_tb(__import__('sys').exc_info()[2])[1:]]
      lines
    `,
    expected: ['return second()', 'raise KeyError("deep")'],
  },
  one(
    'a heap that had to grow',
    'grown = [bytearray(1_000_000) for _ in range(60)]; grown[59][5] = 9\ndel grown[:50]',
    '[len(grown), grown[9][5], sum(map(len, grown))]',
    [10, 9, 10_000_000],
  ),
  one(
    'dates, time zones and uuids',
    'import datetime, uuid, zoneinfo\nz = zoneinfo.ZoneInfo("Europe/Berlin"); d = datetime.datetime(2024, 7, 1, 12, tzinfo=z); u = uuid.UUID(int=5)',
    '[d.isoformat(), d.tzinfo is zoneinfo.ZoneInfo("Europe/Berlin"), str(u)[-1], (d + datetime.timedelta(days=180)).isoformat()]',
    ['2024-07-01T12:00:00+02:00', true, '5', '2024-12-28T12:00:00+01:00'],
  ),
]
