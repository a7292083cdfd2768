import { describe, expect, test } from 'vitest'
import { MalformedValueError } from '../../src/shared/values/decode.js'
import { decode } from '../../src/shared/values/document.js'
import { Encoder, encodePlain, encodeValue } from '../../src/shared/values/encode.js'
import { MAX_DEPTH, NdArray, NO_VALUE, TypeCode } from '../../src/shared/values/value.js'

/** The value half of an encoded `(value, fixups)`. */
function roundTrip(value: unknown): unknown {
  const { tree } = decode(encodeValue(value, 'x'))
  return (tree as unknown[])[0]
}

function nested(depth: number): unknown {
  let value: unknown = null
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

describe('A10: values as marshal bytes', () => {
  test.each([
    ['null', null],
    ['booleans', [true, false]],
    ['small integers', [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]],
    ['integers past 32 bits', [2 ** 31, -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]],
    [
      'integers past 2^53 as bigint',
      [
        2n ** 53n,
        -(2n ** 53n),
        2n ** 53n + 1n,
        -(2n ** 53n) - 1n,
        2n ** 60n - 1n,
        2n ** 64n - 1n,
        -(10n ** 400n),
      ],
    ],
    ['floats', [0.5, -1.25e-300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0]],
    ['text', ['', 'plain', 'é…😀', 'a'.repeat(100_000), '\0']],
    ['lone surrogates', ['\ud800', 'a\udfffb', '\udc00\ud800']],
    ['bytes', [new Uint8Array(), Uint8Array.of(0, 255, 128), new Uint8Array(100_000).fill(7)]],
    ['nested containers', { a: [1, { b: [] }], c: {} }],
    // biome-ignore lint/suspicious/noThenProperty: a guest may well send this
    ['keys that look like methods', { then: 1, toJSON: 2, constructor: 3, length: 4 }],
  ])('%s come back unchanged', (_name, value) => {
    expect(roundTrip(value)).toEqual(value)
  })

  test('an integer within 2^53 becomes a number, even if it was sent as a bigint', () => {
    expect(roundTrip([5n, -7n, 0n])).toEqual([5, -7, 0])
  })

  test('a whole number beyond 2^53 stays a float', () => {
    expect(encodeValue(1e300, 'x')[5]).toBe(TypeCode.float)
  })

  test('a Date and a Set become placeholders with fixups, the deepest first', () => {
    const { tree } = decode(encodeValue({ when: new Date(5), tags: new Set([new Date(6)]) }, 'x'))
    expect(tree).toEqual([
      { when: null, tags: [null] },
      [
        [['when'], 'datetime', 5],
        [['tags', 0], 'datetime', 6],
        [['tags'], 'set', null],
      ],
    ])
  })

  test('a tagged tuple decodes to a Date', () => {
    const bytes = Uint8Array.from([
      ...[TypeCode.tuple, 3, 0, 0, 0, TypeCode.ellipsis],
      ...[TypeCode.unicode, 8, 0, 0, 0, ...new TextEncoder().encode('datetime')],
      ...[TypeCode.float, ...new Uint8Array(new Float64Array([1234.5]).buffer)],
    ])
    expect(decode(bytes).tree).toEqual(new Date(1234.5))
  })

  /** A tagged tuple as the kernel sends it. `undefined` stands for Ellipsis. */
  function arrayTag(dtype: unknown, shape: unknown, block: unknown): Uint8Array<ArrayBuffer> {
    const parts = ['array', dtype, shape, block].map((part) => encodePlain(part, 'x'))
    return new Uint8Array(Buffer.concat([Buffer.of(TypeCode.tuple, 5, 0, 0, 0, TypeCode.ellipsis), ...parts]))
  }

  test.each([
    ['float64', [2], Float64Array.of(1.5, -2)],
    ['float16', [1], Float32Array.of(0.5)],
    ['int64', [2, 1, 1], BigInt64Array.of(-1n, 2n)],
    ['complex64', [1], Float32Array.of(1, 2)],
    ['bool', [], Uint8Array.of(1)],
    ['datetime64[ms]', [0, 9], new Float64Array()],
  ] as const)('an array of %s arrives in one block, with its shape', (dtype, shape, data) => {
    const block = new Uint8Array(data.buffer)
    expect(decode(arrayTag(dtype, shape, block)).tree).toEqual(new NdArray(data, shape, dtype))
    expect(decode(arrayTag(dtype, null, block)).tree).toEqual(data)
  })

  test('an array of text becomes an array of values with a shape', () => {
    const { tree } = decode(arrayTag('str', [2, 1], ['a', 'b']))
    expect(tree).toEqual(new NdArray(['a', 'b'], [2, 1], 'str'))
  })

  test('a large array is copied in slices if its bytes are not aligned to its elements', () => {
    const data = Float64Array.from({ length: 500_000 }, (_, i) => i / 7)
    const bytes = arrayTag('float64', [data.length], new Uint8Array(data.buffer))
    for (let offset = 0; offset < 8; offset++) {
      const shifted = new Uint8Array(bytes.length + offset).subarray(offset)
      shifted.set(bytes)
      const { tree } = decode(shifted)
      expect((tree as unknown as NdArray).data[499_999]).toBe(499_999 / 7)
    }
  })

  test.each([
    ['another size than its shape', arrayTag('float64', [3], new Uint8Array(16))],
    ['a negative length', arrayTag('float64', [-2], new Uint8Array(16))],
    ['lengths whose product is past 2^53', arrayTag('uint8', [2 ** 31, 2 ** 31, 0.5], new Uint8Array(1))],
    ['65 dimensions', arrayTag('uint8', Array(65).fill(1), new Uint8Array(1))],
    ['an unknown type', arrayTag('__proto__', [1], new Uint8Array(8))],
    ['half an element', arrayTag('float64', null, new Uint8Array(12))],
    ['text for a block', arrayTag('float64', [1], 'abcdefgh')],
    ['values for numbers', arrayTag('float64', [1], [1])],
    ['a block for values', arrayTag('str', [1], new Uint8Array(1))],
    ['a shape that is text', arrayTag('uint8', 'x', new Uint8Array(1))],
  ])('an array with %s is refused', (_name, bytes) => {
    expect(() => decode(bytes)).toThrow(MalformedValueError)
  })

  test('a typed array becomes bytes with a fixup that names its type, and an NdArray also its shape', () => {
    const { tree } = decode(
      encodeValue(
        { a: Int16Array.of(1, 2).subarray(1), b: [new NdArray(Float64Array.of(1, 2), [1], 'complex128')] },
        'x',
      ),
    )
    expect(tree).toEqual([
      { a: Uint8Array.of(2, 0), b: [new Uint8Array(Float64Array.of(1, 2).buffer)] },
      [
        [['a'], 'array', ['int16', null, null]],
        [['b', 0], 'array', ['float64', [1], 'complex128']],
      ],
    ])
  })

  test.each([
    ['a function', () => 1, 'x: expected'],
    ['undefined in an array', [undefined], 'x[0]: expected'],
    ['a symbol', { a: [Symbol('s')] }, 'x["a"][0]: expected'],
    ['a class instance', new (class Foo {})(), 'got a Foo'],
    ['an invalid Date', new Date(Number.NaN), 'expected a valid Date'],
    ['nesting past the bound', nested(MAX_DEPTH + 2), 'nesting'],
  ])('%s throws a TypeError that names its position', (_name, value, message) => {
    expect(() => encodeValue(value, 'x')).toThrow(TypeError)
    expect(() => encodeValue(value, 'x')).toThrow(message)
  })

  test('a cycle throws a TypeError', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    expect(() => encodeValue(cycle, 'x')).toThrow(/cycle/)
  })
})

describe('H1: values are encoded in slices', () => {
  /** Encodes with a pause wherever one is possible. */
  function inSlices(value: unknown, pause: () => void = () => {}): Uint8Array {
    const encoder = new Encoder(value, 'x', 'with-fixups')
    while (!encoder.advance(0)) pause()
    return encoder.bytes
  }

  test('the bytes are the same as when encoded in one step', () => {
    const value = {
      long: `${'x'.repeat(65_535)}😀${'é\ud800'.repeat(100_000)}`,
      blobs: [new Uint8Array(700_000).fill(7), new Uint8Array(3)],
      ints: [
        2n ** 4_000_000n - 1n,
        -(2n ** 75n),
        ...Array.from({ length: 3000 }, (_, i) => (1n << BigInt(i)) - 1n),
      ],
      rows: Array.from({ length: 2000 }, (_, i) => ({ at: new Date(i), tags: new Set([i, [new Date(0)]]) })),
    }
    let pauses = 0
    const bytes = inSlices(value, () => pauses++)
    expect(pauses).toBeGreaterThan(20)
    expect(Buffer.compare(bytes, encodeValue(value, 'x'))).toBe(0)
    const [{ long, blobs, ints }] = decode(bytes).tree as [typeof value]
    expect(long === value.long).toBe(true)
    expect(blobs.every((blob, at) => Buffer.compare(blob, value.blobs[at] as Uint8Array) === 0)).toBe(true)
    expect(ints.findIndex((int, at) => BigInt(int) !== value.ints[at])).toBe(-1)
  })

  test.each<[string, () => readonly [unknown, () => void]]>([
    [
      'a list that grows',
      () => {
        const list = Array(2000).fill(0)
        return [list, () => list.push(1)]
      },
    ],
    [
      'a dict that grows',
      () => {
        const object: Record<string, number> = {}
        for (let i = 0; i < 2000; i++) object[`k${i}`] = i
        return [
          object,
          () => {
            object.more = 1
          },
        ]
      },
    ],
  ])('%s meanwhile is encoded with its original members', (_name, make) => {
    const [value, change] = make()
    const { tree } = decode(inSlices(value, change))
    expect(Object.keys((tree as [object])[0])).toHaveLength(2000)
  })

  test.each<[string, () => readonly [unknown, () => void]]>([
    [
      'a list that shrinks',
      () => {
        const list = Array(2000).fill(0)
        return [list, () => list.splice(100)]
      },
    ],
    [
      'bytes that are transferred',
      () => {
        const bytes = new Uint8Array(900_000)
        return [bytes, () => structuredClone(bytes.buffer, { transfer: [bytes.buffer] })]
      },
    ],
  ])('%s meanwhile throws a TypeError', (_name, make) => {
    const [value, change] = make()
    let changes = 0
    expect(() =>
      inSlices(value, () => {
        if (changes++ === 0) change()
      }),
    ).toThrow(TypeError)
  })

  test('dates and sets are rejected if their paths would be much larger than themselves', () => {
    let value: unknown = Array(100_000).fill(new Date(0))
    for (let depth = 0; depth < 200; depth++) value = [value]
    expect(() => encodeValue(value, 'x')).toThrow(/less deeply nested/)
  })
})

describe('R3: hostile bytes', () => {
  test('the key __proto__ is left out and the document is not exact', () => {
    const bytes = encodePlain(JSON.parse('{"__proto__": {"polluted": 1}, "b": 2}'), 'x')
    const { tree, exact } = decode(bytes)
    expect(exact).toBe(false)
    expect(Object.getPrototypeOf(tree)).toBe(Object.prototype)
    expect(tree).toEqual({ b: 2 })
  })

  test('a dict key that is not text is left out, and the document is not exact', () => {
    const bytes = Uint8Array.of(TypeCode.dict, TypeCode.int32, 1, 0, 0, 0, TypeCode.none, TypeCode.null)
    expect(decode(bytes)).toEqual({ tree: {}, exact: false })
  })

  test.each([
    ['an empty document', []],
    ['an unknown type code', [0x78]],
    ['code objects', [0x63, 0, 0, 0, 0]],
    ['references', [0x72, 0, 0, 0, 0]],
    ['flagged codes', [TypeCode.none | 0x80]],
    ['bytes after the value', [TypeCode.none, TypeCode.none]],
    ['a list longer than the document', [TypeCode.list, 0xff, 0xff, 0xff, 0x7f]],
    ['a negative length', [TypeCode.bytes, 0xff, 0xff, 0xff, 0xff]],
    ['an integer of 2^31 digits', [TypeCode.long, 0xff, 0xff, 0xff, 0x7f]],
    ['an integer cut short', [TypeCode.int32, 1, 2]],
    ['a dict without end', [TypeCode.dict, TypeCode.none, TypeCode.none]],
    ['nesting past the bound', Array.from({ length: 20_000 }, () => [TypeCode.list, 1, 0, 0, 0]).flat()],
  ])('%s is refused', (_name, bytes) => {
    expect(() => decode(Uint8Array.from(bytes))).toThrow(MalformedValueError)
  })

  test('every truncation of a document is rejected', () => {
    const bytes = encodeValue({ a: [1, 2n ** 70n, 'text', new Uint8Array(3)], b: new Date(1) }, 'x')
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decode(bytes.subarray(0, length))).toThrow(MalformedValueError)
    }
  })

  test('20,000 mutated documents are either decoded or rejected with a MalformedValueError', () => {
    const bytes = encodeValue(
      { a: [1, 2n ** 70n, 'té\ud800xt', new Uint8Array(9)], b: [new Date(1)], c: 0.5 },
      'x',
    )
    let seed = 1
    const random = (bound: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
      return seed % bound
    }
    let refused = 0
    for (let i = 0; i < 20_000; i++) {
      const mutated = bytes.slice()
      for (let k = 0; k <= random(3); k++) mutated[random(mutated.length)] = random(256)
      try {
        decode(mutated)
      } catch (error) {
        if (!(error instanceof MalformedValueError)) throw error
        refused++
      }
    }
    expect(refused).toBeGreaterThan(1000)
  })

  test('a missing value decodes to NO_VALUE', () => {
    expect(decode(Uint8Array.of(TypeCode.ellipsis)).tree).toBe(NO_VALUE)
  })
})
