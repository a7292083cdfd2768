// Which of sixty kinds of objects another session has after a snapshot and a restore. The expected answer is that of the same peer without
// a snapshot. A kind that a peer cannot create in the first place does not count as kept.
import { SURVIVORS } from '../../../test/snapshot/support/survivors.js'
import type { Group } from '../group.js'
import type { Peer, Step } from '../peer.js'

interface Kind {
  readonly name: string
  readonly before: readonly string[]
  readonly after: string
}

const COLLECTIONS = `from collections import Counter, OrderedDict, defaultdict, deque
q, d, o, c = deque([1], 5), defaultdict(list, a=[1]), OrderedDict(b=2), Counter('aab')`

/** Basic kinds, which are not in the tests' list. */
const PLAIN: readonly Kind[] = [
  kind('integers, floats and truth values', 'a, b, c = 2 ** 80, 1.5, True', 'repr((a, b, c))'),
  kind('complex numbers', 'z = 1 + 2j', 'repr(z * z)'),
  kind('text', 'text = "aé漢🐍"', 'text * 2'),
  kind('bytes and bytearrays', 'b, m = b"ab", bytearray(b"cd")', 'm.extend(b)\nrepr(m)'),
  kind('lists and tuples, nested', 'x = [1, (2, [3])]', 'x[1][1].append(4)\nrepr(x)'),
  kind('dicts', 'd = {"a": 1, 2: {"b": None}}', 'repr(d)'),
  kind('sets and frozen sets', 's = {1, 2}; f = frozenset(s)', 'len(s & f)'),
  kind('ranges and slices', 'r, s = range(0, 10, 3), slice(1, 3)', 'repr(list(r)[s])'),
  kind('a function', 'def double(n): return n * 2', 'double(21)'),
  kind('an imported module', 'import math', 'math.floor(2.5)'),
  kind(
    'a class and an instance',
    'class A:\n    def __init__(self): self.x = 1\na = A()',
    'a.x + isinstance(a, A)',
  ),
  kind('deque, defaultdict, OrderedDict, Counter', COLLECTIONS, 'repr([q, d, o, c])'),
  kind(
    'Decimal and Fraction',
    'from decimal import Decimal\nfrom fractions import Fraction\nd, f = Decimal("1.10"), Fraction(1, 3)',
    'repr([d, f])',
  ),
  kind('an exception', 'e = ValueError("x", 1)', 'repr(e)'),
  kind('a path', 'from pathlib import PurePosixPath\np = PurePosixPath("/a") / "b"', 'str(p)'),
  kind('a method bound to an object', 'items = []\nput = items.append', 'put(1)\nrepr(items)'),
  kind('a compiled regular expression', 'import re\np = re.compile("(a+)b")', 'p.match("aab")[1]'),
]
const KINDS: readonly Kind[] = [...PLAIN, ...SURVIVORS]

export const survival: Group = {
  name: 'survival',
  title: 'What a snapshot keeps',
  rounds: 1,
  sessions: 8,
  rows: [{ id: 'kept', title: 'kinds of objects kept', unit: `of ${KINDS.length}`, state: 'warm' }],
  async measure(peer, samples) {
    if (peer.mostSessions < KINDS.length) {
      samples.cannot('kept', "left out: its sessions take seconds to boot, and its pickle is python3's")
      return
    }
    for (const one of KINDS) samples.details[one.name] = await fate(peer, one)
    const fates = Object.values(samples.details)
    samples.add('kept', fates.filter((text) => text === 'kept').length)
  },
}

async function fate(peer: Peer, kind: Kind): Promise<string> {
  const here = (code: string) => code.replaceAll('/tmp/', peer.files)
  const [before, after] = [kind.before.map(here), here(kind.after)]
  const making = (session: string): Step[] => [
    { do: 'create', session, for: 'bounded' },
    ...before.map((code): Step => ({ do: 'execute', session, code })),
  ]
  const asking = (session: string): Step => ({ do: 'execute', session, code: after, value: true })
  const wanted = await peer.perform([...making('control'), asking('control')])
  await peer.perform([{ do: 'close', session: 'control' }])
  const right = wanted.at(-1)?.value
  if (wanted.some(({ error, cannot }) => error !== undefined || cannot !== undefined)) return 'cannot be made'
  const got = await peer.perform([
    ...making('from'),
    { do: 'snapshot', session: 'from' },
    { do: 'create', session: 'to', for: 'bounded' },
    { do: 'restore', session: 'to' },
    asking('to'),
  ])
  await peer.perform([
    { do: 'close', session: 'from' },
    { do: 'close', session: 'to' },
  ])
  const failed = got.some(({ error, cannot }) => error !== undefined || cannot !== undefined)
  return !failed && got.at(-1)?.value === right ? 'kept' : 'lost'
}

function kind(name: string, before: string, after: string): Kind {
  return { name, before: [before], after }
}
