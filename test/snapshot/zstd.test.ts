import { randomBytes } from 'node:crypto'
import * as zlib from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { BLOCK_BYTES, packBlocks, unpackBlocks } from '../../workers/snapshot/blocks.js'
import { compressZstd, UNSHIELDED } from '../../workers/snapshot/streams.js'
import { checkZstdFrame, decompressZstd } from '../../workers/snapshot/zstd.js'
import { ZstdError } from '../../workers/snapshot/zstd-entropy.js'
import { cpuMsOf } from '../support/cpu-time.js'

/** Node's own implementation, where it has one, for comparison. */
const { zstdCompressSync: compress } = zlib as unknown as {
  zstdCompressSync?: (
    bytes: Uint8Array,
    options: { params: Record<number, number>; chunkSize?: number },
  ) => Buffer
}
const LEVEL = 100
const CHECKSUM = 201
const CONTENT_SIZE = 200

function prose(length: number, seed = 1): Buffer {
  const words = [
    'session',
    'image',
    'slot',
    'kernel',
    'host',
    'delta',
    'page',
    'memory',
    'of',
    'the',
    'and',
    'a',
  ]
  let state = seed
  let text = ''
  while (text.length < length) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    text += `${words[(state >>> 16) % words.length]}${(state >>> 8) % 7 === 0 ? String(state) : ''} `
  }
  return Buffer.from(text.slice(0, length))
}

function sparse(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i += 37) bytes[(i * 2_654_435_761) % length] = i % 251
  return bytes
}

/** Frames written by Node 24: runs, four Huffman streams with direct and packed weights, tables of every mode. */
const FRAMES = {
  'zeros, level 1': {
    raw: new Uint8Array(BLOCK_BYTES),
    frame: 'KLUv/YBIAAAQAFQAABAAAAEA+/85wAICABAAAgAQAAIAEAACABAAAgAQAAIAEAADABAA',
  },
  'sparse, level 1': {
    raw: sparse(3000),
    frame:
      'KLUv/WC4Cl0FAEJKIS5g67oBsCwktj+byKWYHP0xNOdgHdRJ1wBoofVEW1gA9LVbAD8xWmgF/O0WAJgUJQaMDTVYW1qpm5qp0bXzo0PRyIkCLS0etN2ocFf1oe+r50DZUclb08uLq5ocF36ChPg7SZHgLEaEuKcMeVk3OwKEBQ0ZkZaUsmJBVMyMCXM5PTbsbR1SWAIAEvgdh///SR8vVK6gYKnSUoXKFRQsVVpKEskTTJ5+AQ==',
  },
  'prose, level 1': {
    raw: prose(1500),
    frame:
      'KLUv/WDcBG0SAAZfTBmQJW0Duwg0SAiCBrJvDDMjLbvbW7LMmJmFTABCAEMABRpSe+zp3ZFC3TEWN18OqV3tG54xIaIgJBGmlIDqIICiMEWRYsPbMz4zIAIAJaAilRBRVAEBEjAChDkEJqDMkAr/wZwfNwMyUAkRRUM6XW3W63JIHg3xdxRQOcQMSRfvsFWfEFEMyz5e+3+/cQ7LD8W93c2QSkDlENsfIptlOaT6nddxlmaM15uXqUBDpZt2AtLBpzyMXw6pIkNqHYnDVFFAZUOPDW9Xjl4P84fZilftPqf9rNVySNu3QzRL7aOp9c2ADJghlUMEZIY0uq3zjB8loEoFGsoR0DuRx+HxfZd6jPvj8ccFVIz31c5GPMY2tL5i3tq6HII7dC0bSbHqcVvxm717iojKqHzHmv9Hm50DgJOoUYpCEsqcJEkqHRAkpFzaARBCCE2SDvADxEYPesOsW3Be/bka2RQWzOxQm9EifhGorLEI40dTsmRPlbv1HX+z1H6CbEkLJ/yo3JfXPI16vBcMzpisEYFElZsCpWZTb1h+EYDsAYTWwWI3Emo8KJ6CwElXF5IBZiqXOJ3zgkn127+iQwA7BgGI8daOa2Amn81gScwQroSbWz1LMQSTEbHNLyeZc7AxkY309AoapyDkvCblFJ9Y9Eeu4oL1pAvCw8eTyhswRnVL7PNRQXTZiw05d1wODzvn4gLkyOnC2AqNP1G/BFTQlDzNWRVV6JBh9PeE8J1o/tMAf5cJggf5/YMT0gLF6XjQB3bfkwaFPOgE7VypKVXfqQE=',
  },
  'prose, level 19': {
    raw: prose(1500),
    frame:
      'KLUv/WDcBC0QAHZYORaQKx1by74///8g/19LSim3TGko/R/EQQAuACwApUptAcipSqnXBBIApIrOvO0AgOOQBBKKQqORNIxvlVZEAREoEADyYCgQCeKQJBiJAUkIDuR2MRsXJwPAAnEoDo0uFZ1Rb3z+rk/19kfkwrla0XZt2hSOC73MWqBgub+Rc74xlXJIe6+m42goCEMXdjnSVsNSsZIVmo/KvJDoLFTjzZ5M/bifo5vozoYujzh1Zn9y6HwSr9zxprS+uZXe5WuHai/7NRcLFIi9LrrXfjzPQx/zePQqVJy7Efl1dNdcVek/2claowmAlaihiohIIFJs2Q4gRIAQY1YeMRgNJE2kFmwO0dWZfy3qdUaoSKAfJCA4Ck1Xumgy6wHWuhLhyni1I7ttsPWXuJJ549B+iv1YVQEvwcyA9PhO4WTMyr7guImiux2PdNlC8CqwkfdkLFgvOzGHFjTnVODRSZvpYeV5Sb6xTkAbm9VB0jFE5U2DzD8aqK7xB8idxwtV6iFAhNSh8aZyIGU0HKlpsbNoBmi6vVWwHz8tIYLHdgF9PVMRKKxOG1IrtKbTllC0y5u+LLVkOCUm+F1ohTxXHURwnYgNvQVpByLZMSCjoat71nrOnxlRaFcHNsmnx9dTSTZoOGNbfOFNIAirvDzj6BP0P4FLFDMbNrKvD7FVFthD8kpI+OvK4VU=',
  },
  'mixed, level 1': {
    raw: prose(BLOCK_BYTES).fill(7, 1000),
    frame:
      'KLUv/YBIAAAQAIQOAEZdSxigFdQBiPSXJdqflpgB/F9mu0uSvPzRPQhFAEMAQgBDW+DiEuMzpiDF1bPvq/Hxr078q9MFfsyH1rod38FNk3iyBSaGa4GLC/z43le7AQEnmljNBDrgWv2tKjlnKNEWuLj31QKrDSVljWJqq7/A75urVn+JcWJ8aDR3D+JIjA8pGlpI4miBieEQzyYyI8c3V/fN1SXG1wITw42CiMmSmQIXfFsMIWZN974aMSTGl8UUdEqixPj4V6ehi7uauoEnxve+Wqs//tXpfbVLjK+YzVxUir6v9s3VERwoj0HVb65OUxXPIKit/t4DAMQ1V4EfkpIHVzET4y1acofmDlRWS0FIv7k6AzURFRzqrwUuDFLMXcTBvzpdQbpYEGkLXBwH3uoJQohG4tHVTKAD1Ac+ICACggxDyAcU/JxH/y7ADyBKgMc5ACIOZQZPyNSSQLMKABJ70SpoTuCzDLAykDzDAVoAq4DIiBAGCImxnww4ngOjARz98ABy2FM+bHa4ZtCGBL11+MLgMNnb+YETaAN8wF010kgUC0inrDeL7jgneYJFGebf2fKaEH5vnQclB3SOOhyo+XFzB058JjpQQD9T+XPZ2e30Hs6Z235Qvc4JAgAQBwIAEAcCABAHAgAQBwIAEAcCABAHAwAQBw==',
  },
  'mixed, level 19': {
    raw: prose(BLOCK_BYTES).fill(7, 1000),
    frame:
      'KLUv/YBIAAAQANQLAHJPJxaQqw1by74//3/R3ckS2kJb0rFw10oMgFXa5dMOb4eb98zdhb5506h75/6cXrXrRfO6peautMWf726/1DO7zbwyri31f/u9UBmv8vS2W293y8b94lOZ0V5nq2gIPYyBuUotzexSldJTFJYgqebe93VBACWDsDDH8wzP8pmalylHIpgUpMhhlEFJhsUZkDQYULpfrYVXH4qgSRCTPAFtqPFKICOBCF3aDhAQohCz6wHSWIiwcgWTJrBp//9/AxT8XHHK8pikPXk88ltSN+EMBJlmGSQDGM2bLa3iJ+jb9ICGnGvj4Ke7eWuXEggMIcpQa5M44BgvfIQyIBuTwotFMMDUL80DG/4GiShEvgvxuS2ZoL91FqRoeb2mLzFIFoceSYYZOQGz4U+0Wi5XCUwcFPVwbj2LJ0I+wEt6KOvBKpijIhnVBkohpjT5JPn4QsWBILKUqy0cD1sQf/AV+wgg0eQkJMk/1gHp2cYkbcFJnyq17fCOVMBVAQIAEAcCABAHAgAQBwIAEAcCABAHAgAQBwMAEAc=',
  },
}

const refused = (frame: Uint8Array, rawBytes: number) => {
  expect(() => decompressZstd(frame, rawBytes)).toThrow()
  const block = { codec: 2, rawBytes, bytes: frame } as const
  expect(() => unpackBlocks([block], rawBytes)).toThrow(/^block 0 /)
}

/** A frame with a single compressed block of these contents. */
function frameOf(rawBytes: number, ...contents: number[]): Uint8Array {
  const head = Buffer.from('28b52ffda000000000', 'hex')
  head.writeUInt32LE(rawBytes, 5)
  const size = contents.length * 8 + 5
  return Buffer.concat([head, Uint8Array.of(size & 255, size >> 8, size >> 16), Uint8Array.from(contents)])
}

describe('zstd', () => {
  test.each(Object.entries(FRAMES))('reads frames from another Node: %s', (_, { raw, frame }) => {
    const bytes = Buffer.from(frame, 'base64')
    expect(Buffer.compare(decompressZstd(bytes, raw.length), raw)).toBe(0)
    const blocks = [{ codec: 2, rawBytes: raw.length, bytes } as const]
    expect(Buffer.compare(Buffer.concat(unpackBlocks(blocks, raw.length)), raw)).toBe(0)
  })

  test.skipIf(!compress)('agrees with Node’s own implementation at every size and level', () => {
    for (let round = 0; round < 150; round++) {
      const length = 1 + Math.floor(Math.random() ** 3 * BLOCK_BYTES)
      const raw = round % 3 === 0 ? sparse(length) : prose(length, round)
      for (const level of [-5, 1, 3]) {
        // In one chunk, because Node may append an empty frame to an output that fills its chunks exactly.
        const frame = compress?.(raw, { params: { [LEVEL]: level }, chunkSize: 2 * BLOCK_BYTES }) ?? raw
        expect(Buffer.compare(decompressZstd(frame, length), raw), `${length} ${level}`).toBe(0)
      }
    }
  })

  test.skipIf(!compress)(
    'a frame that fills Node’s output chunks exactly has no empty frame after it',
    () => {
      const lengths = Array.from({ length: 16 }, (_, i) => 16_384 - i)
      const frames = lengths.map((length) => {
        const raw = randomBytes(length)
        const frame = compressZstd(raw, 1, UNSHIELDED) ?? raw
        expect(Buffer.compare(decompressZstd(frame, length), raw)).toBe(0)
        return frame.length
      })
      expect(frames).toContain(16_384)
    },
  )

  test('unpacks what this Node packs to the same bytes as Node does', () => {
    const raw = prose(300_000)
    const [block] = packBlocks([raw])
    if (block?.codec === 2) expect(Buffer.compare(decompressZstd(block.bytes, raw.length), raw)).toBe(0)
    expect(Buffer.compare(Buffer.concat(unpackBlocks(block ? [block] : [], raw.length)), raw)).toBe(0)
  })
})

describe('N2: hostile frames are rejected', () => {
  const { raw, frame: text } = FRAMES['prose, level 1']
  const frame = Buffer.from(text, 'base64')

  test('if cut off anywhere, or followed by more bytes', () => {
    for (let length = 0; length < frame.length; length++) refused(frame.subarray(0, length), raw.length)
    for (const rest of [Uint8Array.of(0), frame, Buffer.from('502a4d1800000000', 'hex')])
      refused(Buffer.concat([frame, rest]), raw.length)
  })

  test('if their size is not the declared one', () => {
    for (const size of [1, raw.length - 1, raw.length + 1, BLOCK_BYTES]) refused(frame, size)
  })

  test('if they lie about their size, and nothing is written beyond it', () => {
    for (const size of [1, 100, raw.length - 1, raw.length + 1, 60_000]) {
      const lying = Buffer.from(frame)
      lying.writeUInt16LE(Math.max(0, size - 256), 5)
      refused(lying, size)
    }
  })

  test('if they have another window, dictionary, checksum or size than ours', () => {
    const head = (descriptor: number, ...rest: number[]) =>
      Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, descriptor, ...rest, 1, 0, 0, 0, 0, 0, 0, 0)
    for (const window of [0x51, 0x58, 0x88, 0xa0, 0xf8, 0xff])
      expect(() => checkZstdFrame(head(0x80, window), 1)).toThrow(/window/)
    for (const descriptor of [0x21, 0x22, 0x23, 0x24, 0x28, 0x30, 0xe0])
      expect(() => checkZstdFrame(head(descriptor), 1)).toThrow(/features/)
    expect(() => checkZstdFrame(head(0x00, 0x48), 1)).toThrow(/without size/)
    if (!compress) return
    refused(compress(raw, { params: { [CHECKSUM]: 1 } }), raw.length)
    refused(compress(raw, { params: { [CONTENT_SIZE]: 0 } }), raw.length)
  })

  test('if damaged in one byte, unless they still have the declared length', () => {
    for (let at = 0; at < frame.length; at++) {
      for (const change of [1, 0x80, 0xff]) {
        const damaged = Buffer.from(frame)
        damaged[at] = (damaged[at] ?? 0) ^ change
        try {
          expect(decompressZstd(damaged, raw.length).length).toBe(raw.length)
        } catch (error) {
          expect(error instanceof ZstdError || error instanceof RangeError, String(error)).toBe(true)
        }
      }
    }
  })

  test('if a few bytes ask for a hundred thousand long matches, before the declared size is exceeded', () => {
    // A raw block of eight bytes; then no literals and 98,303 sequences with constant codes: no literal, offset 4, length 65,539 or more.
    const start = [...Buffer.from('28b52ffda000001000', 'hex'), 8 * 8, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    const sequences = [0x00, 255, 255, 255, 0x54, 0, 0, 52, ...new Array<number>(100).fill(0xff)]
    const bomb = Uint8Array.from([
      ...start,
      (sequences.length * 8 + 5) & 255,
      sequences.length >> 5,
      0,
      ...sequences,
    ])
    expect(() => decompressZstd(bomb, BLOCK_BYTES)).toThrow(/too many bytes/)
    expect(cpuMsOf(() => refused(bomb, BLOCK_BYTES))).toBeLessThan(1000)
  })

  test('if a block is larger than allowed, or of the reserved kind', () => {
    const huge = Buffer.from('28b52ffda000001000', 'hex')
    const block = (type: number, size: number) => {
      const head = size * 8 + type * 2 + 1
      return Buffer.concat([
        huge,
        Uint8Array.of(head & 255, (head >> 8) & 255, head >> 16),
        new Uint8Array(size),
      ])
    }
    refused(block(0, 128 * 1024 + 1), BLOCK_BYTES)
    refused(block(1, 128 * 1024 + 1), BLOCK_BYTES)
    refused(block(3, 10), BLOCK_BYTES)
  })

  test('if they refer to something that does not exist', () => {
    // Treeless literals first; repeated tables first; a match before the beginning.
    refused(frameOf(100, 0x03 | (4 << 4), 0x40, 0, 1), 100)
    refused(frameOf(100, 0x00, 1, 0xfc, 1), 100)
    refused(frameOf(100, 0x08, 65, 1, 0x54, 1, 5, 0, 0x21), 100)
  })
})
