import { beforeAll, describe, expect, inject, test } from 'vitest'
import type { Image } from '../../src/shared/image/image.js'
import { wipeDeadMemory } from '../../workers/interpreter/dead-memory.js'
import { visitFree } from '../../workers/interpreter/malloc.js'
import { checkDelta, type MemoryDelta } from '../../workers/interpreter/memory-delta.js'
import { packBlocks } from '../../workers/snapshot/blocks.js'
import { openImage } from '../image/built.js'
import { TestInterpreter } from './interpreters.js'

let image: Image
beforeAll(async () => {
  image = await openImage({ cacheDir: inject('cacheDir') })
})

/** Pairs of addresses; undefined if the heap is not plausible. */
function freeRanges(heap: Uint8Array, state: number): number[] | undefined {
  const ranges: number[] = []
  return visitFree(heap, state, (from, to) => ranges.push(from, to)) ? ranges : undefined
}

const COLLECT = 'import gc\ngc.collect()\ndel gc'
const BASICS = 'x = 1\ny = [1, 2, 3]\ndef f(a): return a\nclass C:\n    def m(self): return 1'
const TEMPORARIES = 'z = [i for i in range(1000)]\ns = "a" * 100'

/** Size of the packed delta, after the same garbage collection as before a snapshot. */
function packedBytes(session: TestInterpreter): number {
  session.run(COLLECT)
  return packBlocks(session.interpreter.capture().parts).reduce((sum, { bytes }) => sum + bytes.length, 0)
}

function sessionAfter(...cells: string[]): TestInterpreter {
  const session = new TestInterpreter(image)
  for (const cell of cells) session.run(cell)
  return session
}

/** Converts a capture to the delta that is stored. */
function deltaOf({ interpreter }: TestInterpreter): MemoryDelta {
  const { memoryBytes, pages, maps, parts } = interpreter.capture()
  return { memoryBytes, pages, maps: Buffer.concat(maps), xored: new Uint8Array(Buffer.concat(parts)) }
}

function moved(delta: MemoryDelta, other = new TestInterpreter(image)): TestInterpreter {
  checkDelta(image, delta)
  other.interpreter.apply(delta)
  return other
}

describe('dead memory', () => {
  test('the builder found every landmark in the image', () => {
    expect(Object.values(image.landmarks).every((address) => address > 0)).toBe(true)
    const { heap } = new TestInterpreter(image)
    expect(freeRanges(heap, image.landmarks.mallocState)?.length).toBeGreaterThan(0)
  })

  test('I1: an interpreter that has not run any code differs from the image in no page', () => {
    const { pages, memoryBytes } = new TestInterpreter(image).interpreter.capture()
    expect([pages.length, memoryBytes]).toEqual([0, image.memoryBytes])
  })

  test('a snapshot of variables, a function and a class takes at most 16 KB', () => {
    expect(packedBytes(sessionAfter(BASICS))).toBeLessThan(16_000)
  })

  test('fifty cells of temporaries leave at most 32 KB', () => {
    expect(packedBytes(sessionAfter(BASICS, ...new Array<string>(50).fill(TEMPORARIES)))).toBeLessThan(32_000)
  })

  test('a deleted list of 300,000 numbers leaves nothing behind', () => {
    const without = packedBytes(sessionAfter(BASICS))
    const session = sessionAfter(BASICS, 'numbers = list(range(300000))', 'del numbers')
    expect(packedBytes(session)).toBeLessThan(without + 4000)
  })

  test('deleted Python objects do not appear anywhere in captured memory', () => {
    const secret = Buffer.from(Array.from({ length: 26 }, (_, i) => 90 - i))
    const session = sessionAfter(
      'secrets = [bytes(range(90, 64, -1)) * n for n in (1, 10, 1000, 100000)]',
      'text = secrets[2].decode(); parts = [text[i:i + 26] for i in range(0, 2600, 26)]',
    )
    expect(Buffer.from(session.heap).includes(secret)).toBe(true)
    session.run(`del secrets, text, parts\n${COLLECT}`)
    session.interpreter.capture()
    expect(Buffer.from(session.heap).includes(secret)).toBe(false)
  })

  test('a second wipe changes nothing', () => {
    const session = sessionAfter(BASICS, TEMPORARIES)
    const first = session.interpreter.capture()
    expect(session.interpreter.capture()).toEqual(first)
  })
})

/** The output of each cell depends on the state that earlier cells left. */
const PROGRAM = [
  'import collections, itertools, re, json, random, decimal, datetime, hashlib, weakref, asyncio',
  'random.seed(7)\nwords = ["".join(random.choices("abcdef", k=random.randint(1, 40))) for _ in range(3000)]\nprint(len(set(words)))',
  'counts = collections.Counter(map(len, words))\nprint(sorted(counts.items())[:5], counts.total())',
  'class Node:\n    def __init__(self, value, parent=None):\n        self.value, self.parent, self.children = value, parent, []\n        if parent: parent.children.append(self)\nroot = Node(0)\nnodes = [root]\nfor i in range(1, 2000): nodes.append(Node(i, random.choice(nodes)))\nprint(max(len(n.children) for n in nodes))',
  'def depth(n):\n    d = 0\n    while n.parent: n, d = n.parent, d + 1\n    return d\nprint(sum(map(depth, nodes)))',
  'del nodes[::2]\nprint(len(nodes), sum(n.value for n in nodes))',
  'def walk(n):\n    yield n.value\n    for c in n.children: yield from walk(c)\nwalking = walk(root)\nprint([next(walking) for _ in range(5)])',
  'print([next(walking) for _ in range(5)], sum(walking))',
  'table = {w: [w[i:i + 3] for i in range(len(w))] for w in words}\nfor w in words[::3]: table.pop(w, None)\nprint(len(table), sum(map(len, table.values())))',
  'table.update((str(i), i) for i in range(20000))\nfor i in range(0, 20000, 2): del table[str(i)]\nprint(len(table))',
  'text = json.dumps({k: table[k] for k in sorted(table)})\nprint(len(text), hashlib.sha256(text.encode()).hexdigest())',
  'print(len(re.findall(r"[a-c]{2,}", text)), json.loads(text) == table)',
  'digest = hashlib.sha256()\nfor i in range(100): digest.update(bytes([i]) * 1000)\nprint(digest.hexdigest())',
  'digest.update(b"more")\nprint(digest.hexdigest())',
  'decimal.getcontext().prec = 60\nprint(sum(decimal.Decimal(1) / n for n in range(1, 300)))',
  'big = 3 ** 20000\nprint(big % 10 ** 30, big.bit_length())',
  'buffers = [bytearray(random.randbytes(random.randint(1, 60000))) for _ in range(100)]\nprint(hashlib.md5(b"".join(buffers)).hexdigest())',
  'for i in range(0, 100, 3): buffers[i] = None\nfor b in buffers:\n    if b: b.extend(b[:100])\nprint(hashlib.md5(b"".join(b for b in buffers if b)).hexdigest())',
  'big_list = list(range(100000))\nprint(sum(big_list))',
  'del big_list[::3]\nprint(sum(big_list), len(big_list))',
  'big_list.sort(key=lambda n: n % 1000)\nprint(big_list[:3], big_list[-3:])',
  'watched = Node("watched")\nref = weakref.ref(watched)\nprint(ref().value)',
  'del watched\nprint(ref())',
  'try:\n    [][1]\nexcept IndexError as error:\n    kept = error\nprint(repr(kept), kept.__traceback__.tb_lineno)',
  'async def work(n):\n    await asyncio.sleep(0)\n    return n * 2\nprint(await asyncio.gather(*[work(n) for n in range(50)]))',
  'def deep(n): return 0 if n == 0 else 1 + deep(n - 1)\nprint(deep(800))',
  'import sqlite3\ndb = sqlite3.connect(":memory:")\ndb.execute("create table t (a, b)")\ndb.executemany("insert into t values (?, ?)", [(i, str(i)) for i in range(3000)])\nprint(db.execute("select sum(a), max(b) from t").fetchone())',
  'db.execute("delete from t where a % 2")\nprint(db.execute("select count(*) from t").fetchone(), db.total_changes)',
  'import gc\nprint(gc.collect() >= 0, len(words), len(table), len(big_list), sum(n.value for n in nodes))',
]

/** Sum of the numbers below `end` that are not multiples of 3. */
function sum(end: number): number {
  let total = 0
  for (let n = 0; n < end; n++) if (n % 3 !== 0) total += n
  return total
}

describe('a live session', () => {
  let expected: string[]
  beforeAll(() => {
    const session = new TestInterpreter(image)
    expected = PROGRAM.map((cell) => session.run(cell))
  })

  test('with a hundred thousand holes in its heap is wiped and still works', () => {
    const session = sessionAfter('numbers = list(range(400000))', 'del numbers[::3]')
    expect(freeRanges(session.heap, image.landmarks.mallocState)?.length).toBeGreaterThan(200_000)
    session.interpreter.capture()
    expect(session.run('print(sum(numbers), len(numbers))')).toBe(`${sum(400_000)} 266666\n`)
  })

  test('is not affected by wipes between its cells', () => {
    const session = new TestInterpreter(image)
    const output = PROGRAM.map((cell) => {
      session.interpreter.capture()
      return session.run(cell)
    })
    expect(output).toEqual(expected)
  })

  test('continues in another interpreter after every cell', () => {
    let [session, other] = [new TestInterpreter(image), new TestInterpreter(image)]
    const output = PROGRAM.map((cell) => {
      other.interpreter.revertMemory()
      ;[session, other] = [moved(deltaOf(session), other), session]
      return session.run(cell)
    })
    expect(output).toEqual(expected)
  })

  test('is identical, byte for byte, in the interpreter it moved to', () => {
    const session = sessionAfter(...PROGRAM)
    const other = moved(deltaOf(session))
    expect(Buffer.compare(other.heap, session.heap)).toBe(0)
  })
})

describe('restoring in place', () => {
  test('replaces everything since the snapshot, even if the memory has grown', () => {
    const session = sessionAfter(BASICS)
    const delta = deltaOf(session)
    session.run('x = list(range(800000)); y = None')
    expect(session.interpreter.revert()).toBe(false)
    expect(session.run('print(y)')).toBe('None\n')
    session.interpreter.revertMemory()
    expect(session.heap.subarray(image.memoryBytes).every((byte) => byte === 0)).toBe(true)
    session.interpreter.apply(delta)
    expect(session.run('print(x, y, f(5), C().m())')).toBe('1 [1, 2, 3] 5 1\n')
    expect(session.run('print(sum(range(10 ** 6)), len(list(range(1000000))))')).toBe(
      '499999500000 1000000\n',
    )
  })

  test('leaves only the image and zeros in grown memory', () => {
    const session = sessionAfter('x = bytes(60000000)')
    session.interpreter.revertMemory()
    const fresh = new TestInterpreter(image).heap
    expect(Buffer.compare(session.heap.subarray(0, fresh.length), fresh)).toBe(0)
    expect(session.interpreter.capture().pages.length).toBe(0)
  })

  test('rejects a delta larger than memory can be, and changes nothing', () => {
    const session = sessionAfter(BASICS)
    const delta = { memoryBytes: 2 ** 33, pages: new Uint32Array(0), xored: new Uint8Array(0) }
    expect(session.interpreter.reserve(2 ** 33)).toBe(false)
    expect(() => session.interpreter.apply(delta)).toThrow(RangeError)
    expect(session.run('print(x)')).toBe('1\n')
  })
})

describe('R1: walking a heap that a program has overwritten', () => {
  const word = (heap: Uint8Array, at: number) => new DataView(heap.buffer).getUint32(at, true)

  test('always ends, with ranges inside the memory', () => {
    const pristine = sessionAfter(BASICS, ...PROGRAM.slice(0, 10)).heap.slice()
    const { mallocState } = image.landmarks
    const free = freeRanges(pristine, mallocState) ?? []
    expect(free.length).toBeGreaterThan(200)
    const anyChunk = () => (free[2 * Math.floor(Math.random() * (free.length / 2))] ?? 0) - 16
    const view = new DataView(pristine.buffer)
    const values = [0, 1, 4, 8, mallocState, mallocState + 40, pristine.length - 8, 0xffff_fff8, 0xffff_ffff]
    let outside = 0
    for (let round = 0; round < 400; round++) {
      const inState = mallocState + 4 * Math.floor(Math.random() * 118)
      const at = round % 3 === 0 ? inState : anyChunk() - 16 + 4 * Math.floor(Math.random() * 8)
      const before = view.getUint32(at, true)
      view.setUint32(
        at,
        [...values, anyChunk(), anyChunk() - 16, before ^ (2 ** (round % 31))][round % 12] ?? 0,
        true,
      )
      let total = 0
      const ranges = freeRanges(pristine, mallocState) ?? []
      for (let i = 0; i < ranges.length; i += 2) {
        const [from = -1, to = -1] = [ranges[i], ranges[i + 1]]
        if (!(from >= 0 && from <= to && to <= pristine.length && from % 4 === 0 && to % 4 === 0)) outside++
        total += to - from
      }
      if (total > pristine.length) outside++
      view.setUint32(at, before, true)
    }
    expect(outside).toBe(0)
  })

  test('clears nothing if its lists have become cycles', () => {
    const { heap } = sessionAfter(BASICS, ...PROGRAM.slice(0, 5))
    const { mallocState } = image.landmarks
    const map = word(heap, mallocState)
    const index = 31 - Math.clz32(map)
    const bin = mallocState + 40 + index * 8
    const first = word(heap, bin + 8)
    new DataView(heap.buffer).setUint32(first + 8, first, true)
    expect(freeRanges(heap, mallocState)).toBeUndefined()
    const before = heap.slice()
    wipeDeadMemory(heap, { ...image.landmarks, dataStack: 0, internedStrings: 0 }, image.stackPointer)
    expect(Buffer.compare(heap.subarray(image.stackPointer), before.subarray(image.stackPointer))).toBe(0)
  })

  test('does no harm wherever the landmarks point', () => {
    const { heap } = sessionAfter(BASICS)
    const addresses = [
      0,
      4,
      heap.length - 4,
      heap.length,
      2 ** 32 - 4,
      ...Array.from({ length: 150 }, (_, i) => i * 218_040),
    ]
    for (const address of addresses) {
      freeRanges(heap, address)
      const landmarks = {
        stackLow: image.stackPointer,
        mallocState: 0,
        dataStack: address,
        internedStrings: address,
      }
      expect(() => wipeDeadMemory(heap, landmarks, image.stackPointer)).not.toThrow()
    }
  })
})
