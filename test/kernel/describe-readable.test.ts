// C5: whatever a session contains, the reader accepts the kernel's description of it. Both have the same bounds, so no snapshot is
// rejected because of what its session contains.
import { beforeAll, expect, inject, test } from 'vitest'
import { MAX_COST } from '../../src/shared/snapshot/cost.js'
import { readGlobals } from '../../src/shared/snapshot/globals.js'
import { type Description, readDescription } from '../../src/shared/snapshot/manifest.js'
import { decode } from '../../src/shared/snapshot/msgpack.js'
import { Opcode, openImage } from '../image/built.js'
import { ImageSession } from './image-session.js'

const MIB = 2 ** 20

let session: ImageSession
beforeAll(async () => {
  session = new ImageSession(await openImage({ cacheDir: inject('cacheDir') }))
  session.value(HELPERS)
})

/** `fill` puts values made by one expression into a hundred globals and the arguments of a hundred calls. */
const HELPERS = `
import sys
from datetime import datetime, UTC
from _brumate.calls import CALLS, Outcome
from _brumate.values import to_tree
import random
KEPT = {*globals(), 'KEPT', 'fill', 'scatter', 'anything', 'nested'}
def clear():
    for name in [*globals()]:
        if name not in KEPT and name != 'clear': del globals()[name]
    CALLS.forget()
def nested(wrap):
    inner = ()
    for _ in range(199): inner = wrap(inner)
    return inner
def fill(make, count=100):
    clear()
    for i in range(count):
        value = make(i)
        globals()[f'global_{i}'] = value
        CALLS.add('f' * (i + 1), to_tree({'v': value}), Outcome(), through_door=False)
def anything(of, depth):
    kind = of.randrange(18 if depth < 5 else 12)
    size = of.choice((0, 1, 2, 3, 17, 60)) if depth < 2 else of.randrange(3)
    if kind < 3: return of.choice((None, True, -1, 0, 127, 128, -32, -33, 2**31, 2**53 - 1, 2**53, -2**53, 2**63, 2**64 - 1, 2**64, -2**63 - 1))
    if kind < 5: return of.randrange(-2, 3) * 10 ** of.randrange(2600) if of.random() < .02 else of.random()
    if kind < 8: return of.choice(('', 'a', 'é', '漢', '\\ud800', '\\0', 'a' * 31, 'a' * 32, '😀')) * of.choice((1, 1, 2, 40, 300))
    if kind < 9: return bytes(of.randrange(300))
    if kind < 10: return datetime(of.randrange(1, 9999), 1, 1, tzinfo=of.choice((None, UTC)))
    if kind < 11: return {of.choice((of.random(), of.randrange(2**70), of.randrange(999), str(i), (i,), None)) for i in range(size)}
    if kind < 12: return bytearray(3)
    if kind < 14: return [anything(of, depth + 1) for _ in range(size)]
    if kind < 16: return [{'a': i, 'b': str(i), of.choice('xyz'): None} for i in range(size)]
    return {of.choice(('k', 'ключ', '7', 'kk', '__proto__' if of.random() < .01 else 'p')) + str(of.randrange(9) * of.randrange(size + 1)): anything(of, depth + 1) for _ in range(size)}
def scatter(seed):
    clear()
    of = random.Random(seed)
    for i in range(of.choice((3, 100, 400))):
        globals()[of.choice(('g', 'é', '9', 'n' * 50)) + str(i)] = value = anything(of, 0)
        if i % 3 == 0:
            try: CALLS.add('f', to_tree({'v': value}), Outcome(), through_door=False)
            except TypeError: pass
`

function described(): { readonly description: Uint8Array; readonly values: Uint8Array } {
  const bound = Buffer.alloc(4)
  bound.writeUInt32LE(MIB)
  const reply = session.interpreter.call(Opcode.describe, bound)
  if (reply.kind !== 'described')
    throw new Error(`the kernel says: ${Buffer.from(reply.kind === 'done' ? reply.payload : [])}`)
  return reply
}

/** @throws the reader's error if it rejects the description */
function describe(): Description & { readonly values: Record<string, unknown> } {
  const { description, values } = described()
  return { ...readDescription(description), values: readGlobals(values) }
}

/** Finds the cost of reading a document, to a hundredth of the bound. */
function costOf(document: Uint8Array): number {
  let [takes, refuses] = [MAX_COST, 0]
  while (takes - refuses > MAX_COST / 100) {
    const middle = Math.floor((takes + refuses) / 2)
    try {
      decode(document, middle)
      takes = middle
    } catch {
      refuses = middle
    }
  }
  return takes
}

test.each([
  ['nothing', 'None'],
  ['numbers', '[*range(3000)]'],
  ['large numbers', '[2**60 + i for i in range(500)]'],
  ['integers of many digits', '[10 ** (30 + j % 200) for j in range(100)]'],
  ['the longest integers', '2 ** 8191 + i'],
  ['floats', '[j + .5 for j in range(3000)]'],
  ['empty text', `[''] * 1000`],
  ['short text', '[str(j) for j in range(1000)]'],
  ['text', `['y' * 40] * 300`],
  ['text beyond ASCII', `['é'] * 500`],
  ['long text beyond ASCII', `'漢' * 5000`],
  ['lone surrogates', `['\\ud800'] * 500`],
  ['bytes', `[b''] * 200`],
  ['empty lists', '[[] for _ in range(1000)]'],
  ['empty dicts', '[{} for _ in range(1000)]'],
  ['records', `[{'name': j, 'at': 1.5, 'value': None} for j in range(200)]`],
  ['two kinds of records in turn', `[{'name' + str(j % 2): j, 'at': 1.5} for j in range(200)]`],
  ['dicts with a key of their own', '[{f"k{i}x{j}": None} for j in range(50)]'],
  ['dicts with keys that look like numbers', '[{str(j): None} for j in range(20)]'],
  ['dicts with keys beyond ASCII', `[{'ключ' * (j % 20): j} for j in range(100)]`],
  ['a dict of many keys', '{f"k{j}": j for j in range(300)}'],
  ['more kinds of records than are remembered', '[{f"a{i}": 1, f"b{j}": 2, "c": 3} for j in range(60)]'],
  ['datetimes', '[datetime(2020, 1, 1, tzinfo=UTC)] * 100'],
  ['sets of numbers', '[{*range(64)} for _ in range(20)]'],
  ['sets of large numbers', '{*range(2**64, 2**64 + 50)}'],
  ['sets of text', '[{str(j) for j in range(50)} for _ in range(10)]'],
  ['empty sets', '[set() for _ in range(200)]'],
  ['lists as deep as they are written', 'nested(lambda inner: [inner])'],
  ['dicts as deep as they are written', 'nested(lambda inner: {"k": inner})'],
])('a hundred globals, and calls, with %s can be read back', (_, make) => {
  session.value(`fill(lambda i: ${make})`)
  const { values, globals, pending, awaiting } = describe()
  expect(globals.length).toBeGreaterThanOrEqual(100)
  expect(awaiting).toBe(false)
  expect(pending.length).toBeGreaterThan(0)
  expect(Object.keys(values).length).toBeGreaterThan(0)
})

test('sets nested to the maximum depth can be read back', () => {
  // Not in the arguments of a call: CPython's marshal takes twice as long for each level.
  session.value('clear()\ndeep = nested(lambda inner: frozenset([inner]))')
  expect(Object.keys(describe().values)).toContain('deep')
})

test('very many, long and odd names can be read back', () => {
  for (const name of ["f'n{i}'", "'n' * 900 + str(i)", "'é' * 500 + str(i)", "f'{i}'", "f'\\ud800{i}'"]) {
    session.value(`clear()\nglobals().update({${name}: i for i in range(20_000)})`)
    expect(describe().globals.length).toBeGreaterThan(100)
  }
})

test('more than nine tenths of the bounds are used: values that fit are not left out by counting them twice', () => {
  session.value(`fill(lambda i: [{'name': j, 'at': 1.5, 'value': 'text'} for j in range(200)])`)
  const { values } = described()
  expect(costOf(values) / MAX_COST).toBeGreaterThan(0.9)
  session.value('fill(lambda i: [str(j) for j in range(1000)])')
  expect(costOf(described().values) / MAX_COST).toBeGreaterThan(0.9)
})

test('twenty sessions of random values can be read back', () => {
  for (let seed = 0; seed < 20; seed++) {
    session.value(`scatter(${seed})`)
    describe()
  }
})
