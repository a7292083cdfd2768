// C5, C6, N2: the bytes of a snapshot, and the rejection of everything else.

import type { Session, SessionManager } from 'brumate'
import { Snapshot, SnapshotError } from 'brumate'
import { Packr } from 'msgpackr'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openManager } from '../support/manager.js'
import { rejectionOf } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'
import {
  close,
  closeStream,
  type Opened,
  open,
  openStream,
  packBody,
  sha256,
  unpackBody,
  withStream,
} from './support/rebuild.js'

let manager: SessionManager
let session: Session
let bytes: Uint8Array
let opened: Opened

beforeAll(async () => {
  manager = await sharedManager({ slots: 4 })
  session = await manager.createSession({ tenant: 'document', checkpoint: 'manual' })
  await session.execute(
    'x = 41; big = 2**70; when = __import__("datetime").datetime(2024, 2, 29); s = {1, 2}',
  )
  await session.execute(
    'd = {"a": [1.5, None, True, b"raw"]}; __import__("pathlib").Path("/tmp/note").write_text("hello"); f = open("/tmp/note")',
  )
  await session.execute('class Own:\n    def __repr__(self): raise SystemError\no = Own()')
  bytes = (await session.snapshotState()).toBytes()
  opened = open(bytes)
}, 60_000)
afterAll(() => session?.close())

function refused(document: Uint8Array): Promise<SnapshotError> {
  return rejectionOf(SnapshotError, session.restoreState(document))
}

/** Reason for the rejection. Also checks that the session is unchanged. */
async function reasonFor(document: Uint8Array): Promise<string> {
  await session.set('witness', 7)
  const { reason } = await refused(document)
  expect(await session.get('witness')).toBe(7)
  expect(await session.get('x')).toBe(41)
  return reason
}

describe('C5: the document', () => {
  test('is a MessagePack array that any MessagePack reader can read', () => {
    expect(opened).toMatchObject({ magic: 'brumate snapshot', version: 2, signature: null })
    expect(opened.head.executionCount).toBe(3)
    expect(Buffer.from(opened.head.bodyHash as Uint8Array)).toEqual(sha256(opened.body))
    expect(unpackBody(opened.body).length).toBe(opened.head.rawBytes)
  })

  test('is the same snapshot when it is taken apart and put together again', async () => {
    const again = withStream(opened, closeStream(openStream(unpackBody(opened.body))))
    await using other = await manager.createSession({ from: again })
    expect((await other.execute('x, f.read()')).value).toEqual([41, 'hello'])
  })

  test('may also have whole pages and no maps', async () => {
    const stream = openStream(unpackBody(opened.body))
    await using other = await manager.createSession({ from: withStream(opened, closeStream(stream, false)) })
    expect((await other.execute('x, f.read()')).value).toEqual([41, 'hello'])
  })

  test('fromBytes of something other than a Uint8Array throws an InvalidOptionError', () => {
    for (const value of ['hello', null, undefined, [], new ArrayBuffer(8)])
      expect(() => Snapshot.fromBytes(value as never)).toThrow(
        expect.objectContaining({ name: 'InvalidOptionError', option: 'bytes' }),
      )
  })

  test('fromBytes(toBytes()) is the same snapshot, and size is its length', () => {
    const snapshot = Snapshot.fromBytes(bytes)
    expect(snapshot.toBytes()).toEqual(bytes)
    expect(snapshot.size).toBe(bytes.length)
  })

  test('the manifest describes the contents without an interpreter, and making it runs no user code', () => {
    const { manifest } = Snapshot.fromBytes(bytes)
    expect(manifest).toMatchObject({
      formatVersion: 2,
      imageId: expect.stringMatching(/^[0-9a-f]{64}$/),
      pyodideVersion: '314.0.7',
      pythonVersion: '3.14.2',
      executionCount: 3,
      files: [{ path: '/tmp/note', sizeBytes: 5 }],
      pending: [],
    })
    expect(Math.abs(Date.now() - manifest.createdAt.getTime())).toBeLessThan(60_000)
    const named = Object.fromEntries(manifest.globals.map((entry) => [entry.name, entry]))
    expect(named).toMatchObject({
      x: { type: 'int', repr: '41', sizeBytes: expect.any(Number) },
      o: { type: 'Own', repr: '<Own>' },
      f: { type: 'TextIOWrapper' },
    })
  })

  test('globals() returns the plain values without an interpreter', () => {
    expect(Snapshot.fromBytes(bytes).globals()).toEqual({
      x: 41,
      big: 2n ** 70n,
      when: new Date(Date.UTC(2024, 1, 29)),
      s: new Set([1, 2]),
      d: { a: [1.5, null, true, new Uint8Array(Buffer.from('raw'))] },
    })
  })

  test('a snapshot of incompressible data grows by at most one per cent', async () => {
    await using noisy = await manager.createSession({ tenant: 'document', checkpoint: 'manual' })
    const before = (await noisy.snapshotState()).size
    await noisy.execute('import os; noise = os.urandom(8_000_000)')
    expect((await noisy.snapshotState()).size - before).toBeLessThan(8_080_000)
  })
})

describe('C6, N2: invalid snapshots are rejected before a byte is applied', () => {
  test.each<[string, (parts: Opened) => Uint8Array]>([
    ['nothing', () => new Uint8Array(0)],
    ['text', () => new TextEncoder().encode('not a snapshot')],
    ['another magic', (parts) => close(parts, { magic: 'brumate image' })],
    [
      'no head',
      (parts) => new Packr().pack(['brumate snapshot', 2, null, parts.body, sha256(parts.body), null]),
    ],
    ['a head without a field', (parts) => close({ ...parts, head: { ...parts.head, rawBytes: undefined } })],
    ['something behind it', () => Buffer.concat([bytes, Buffer.from([0])])],
    ['its last byte missing', () => bytes.subarray(0, -1)],
    ['no body', (parts) => close({ ...parts, body: new Uint8Array(0) })],
    ['a body that is another one', (parts) => close({ ...parts, body: packBody(Buffer.from('other')) })],
    ['fewer bytes than declared', (parts) => close({ ...parts, head: { ...parts.head, rawBytes: 1000 } })],
    [
      'more bytes than declared',
      (parts) => close({ ...parts, head: { ...parts.head, rawBytes: 10_000_000 } }),
    ],
    [
      'memory that is no whole number of pages',
      (parts) => close({ ...parts, head: { ...parts.head, memoryBytes: 33_554_433 } }),
    ],
    [
      'memory smaller than the image',
      (parts) => close({ ...parts, head: { ...parts.head, memoryBytes: 65_536 } }),
    ],
    ['a negative size', (parts) => close({ ...parts, head: { ...parts.head, rawBytes: -1 } })],
    ['a size that is no number', (parts) => close({ ...parts, head: { ...parts.head, memoryBytes: 'all' } })],
    [
      'globals that are no MessagePack',
      (parts) => close({ ...parts, head: { ...parts.head, values: Buffer.from([0xc1]) } }),
    ],
    [
      'a prototype among the globals',
      (parts) =>
        close({ ...parts, head: { ...parts.head, values: Buffer.from('81a95f5f70726f746f5f5f80', 'hex') } }),
    ],
    [
      'nesting without end',
      (parts) => close({ ...parts, head: { ...parts.head, values: Buffer.alloc(100_000, 0x91) } }),
    ],
    [
      'a map that claims four billion entries',
      (parts) => close({ ...parts, head: { ...parts.head, values: Buffer.from('dfffffffff', 'hex') } }),
    ],
    [
      'an extension among the globals',
      (parts) => close({ ...parts, head: { ...parts.head, values: Buffer.from('81a161d40165', 'hex') } }),
    ],
  ])('%s', async (_, make) => {
    expect(await reasonFor(make(opened))).toBe('corrupt')
  })

  test.each<[string, (stream: ReturnType<typeof openStream>) => void]>([
    ['pages out of order', ({ pages }) => pages.reverse()],
    ['a page twice', ({ pages }) => pages.set([pages[0] ?? 0], 1)],
    ['a page outside the memory', ({ pages }) => pages.set([2 ** 20], pages.length - 1)],
    [
      'a host state that is a number',
      (stream) => {
        stream.host = 3
      },
    ],
    [
      'a host state of nothing',
      (stream) => {
        stream.host = {}
      },
    ],
    [
      'memory that is too short',
      (stream) => {
        stream.memory = stream.memory.subarray(4096)
      },
    ],
    [
      'more contents than files',
      (stream) => {
        stream.contents = Buffer.alloc(5_000_000)
      },
    ],
    [
      'no contents',
      (stream) => {
        stream.contents = Buffer.alloc(0)
      },
    ],
  ])('inside: %s', async (_, change) => {
    const stream = openStream(unpackBody(opened.body))
    change(stream)
    expect(await reasonFor(withStream(opened, closeStream(stream)))).toBe('corrupt')
  })

  test('another format version is incompatible, and the error says what to do', async () => {
    const { reason, message } = await refused(close(opened, { version: 4 }))
    expect([reason, message]).toEqual(['incompatible', expect.stringMatching(/version 4.*reads 2 and 3;/)])
  })

  test('another image is incompatible, and the error names both ids', async () => {
    const imageId = 'a'.repeat(64)
    const { reason, message } = await refused(close({ ...opened, head: { ...opened.head, imageId } }))
    expect(reason).toBe('incompatible')
    expect(message).toContain(imageId)
    expect(message).toContain(String(opened.head.imageId))
    expect(message).toMatch(/salvage/)
  })

  test('a snapshot that would unpack to more than the limits allow is too large, and is not unpacked', async () => {
    const head = { ...opened.head, rawBytes: 2 ** 31 }
    expect(await reasonFor(close({ ...opened, head }))).toBe('too-large')
    const grown = { ...opened.head, memoryBytes: 2 ** 31 }
    expect(await reasonFor(close({ ...opened, head: grown }))).toBe('too-large')
  })

  test('a value that is neither a Snapshot nor bytes throws an InvalidOptionError', async () => {
    await expect(session.restoreState('snapshot' as never)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(manager.createSession({ from: {} as never })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    })
  })

  test('salvage restores the plain values from a foreign image, and names the rest', async () => {
    await using other = await manager.createSession({ tenant: 'document' })
    const foreign = close({ ...opened, head: { ...opened.head, imageId: 'b'.repeat(64) } })
    const lost = await other.restoreState(foreign, { salvage: true })
    expect(lost.sort()).toEqual(['Own', 'f', 'o'])
    expect((await other.execute('x, big, s, d["a"][3]')).value).toEqual([
      41,
      2n ** 70n,
      new Set([1, 2]),
      new Uint8Array(Buffer.from('raw')),
    ])
  })
})

describe('N2: signed snapshots', () => {
  const key = new Uint8Array(32).fill(7)

  test('are restored only for their tenant and with the same key; unsigned ones are rejected', async () => {
    await using signing = await openManager({ slots: 1, snapshotKey: key })
    await using stranger = await openManager({ slots: 1, snapshotKey: new Uint8Array(32).fill(8) })
    const mine = await signing.createSession({ tenant: 'a' })
    await mine.execute('x = 1')
    const signed = (await mine.snapshotState()).toBytes()
    await mine.restoreState(signed)
    expect(await mine.get('x')).toBe(1)
    const reasons = await Promise.all(
      [
        signing.createSession({ tenant: 'b', from: signed }),
        stranger.createSession({ tenant: 'a', from: signed }),
        mine.restoreState(bytes),
        mine.restoreState(
          close(
            { ...open(signed), head: { ...open(signed).head, executionCount: 9 } },
            { signature: open(signed).signature },
          ),
        ),
        mine.restoreState(bytes, { salvage: true }),
      ].map((promise) => rejectionOf(SnapshotError, promise).then(({ reason }) => reason)),
    )
    expect(reasons).toEqual(Array(5).fill('untrusted'))
  })

  test('need a key of 32 bytes', async () => {
    await expect(openManager({ snapshotKey: new Uint8Array(16) })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      option: 'snapshotKey',
    })
  })
})
