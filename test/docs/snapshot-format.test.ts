// docs/snapshot-format.md compared with real snapshots: it lists exactly the names in them, and its layout leads to the session's
// bytes. Snapshots are read with test/snapshot/support/rebuild.ts, which uses none of the library's code.
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { VfsStorage } from 'brumate'
import { Packr } from 'msgpackr'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import type { ReadableImage } from '../../workers/image-bytes.js'
import { openImage, readable } from '../image/built.js'
import {
  type Opened,
  open,
  openStream,
  type Stream,
  sha256,
  unpackBody,
} from '../snapshot/support/rebuild.js'
import { openManager } from '../support/manager.js'
import { py } from '../support/session-code.js'

const page = readFileSync(new URL('../../docs/snapshot-format.md', import.meta.url), 'utf8')
const KEY = new Uint8Array(32).fill(7)
const TENANT = 'Zoë'
const PAGE_BYTES = 4096
const CHUNK_BYTES = 65_536

const CODE = py`
  import datetime, os
  marker = b'bytes that are nowhere ' + b'else'
  values = {'list': [1, 2.5, None, True], 'set': {3}, 'when': datetime.datetime.fromtimestamp(1, datetime.UTC), 'large': 2 ** 70}
  lone = '\ud800'
  os.mkdir('made'); os.symlink('made', 'link')
  held = open('made/file', 'w+b'); held.write(b'first' + bytes(200_000) + b'last'); held.flush()
  r, w = os.pipe(); os.write(w, b'piped')
  shared = open('/data/shared', 'w')
`

/** The names in backticks in the first column of a section's tables. */
function names(heading: string): string[] {
  const [, section = ''] = page.split(new RegExp(`^#+ ${heading}\n`, 'm'))
  const body = section.split(/^#/m)[0] ?? ''
  return [...body.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  )
}

/** The members that the page lists for a kind of node. */
function members(kind: string): string[] {
  const [, text = ''] = new RegExp(`^\\| ${kind} \\| (.*) \\|$`, 'm').exec(page) ?? []
  return [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
}

interface HostState extends Record<string, unknown> {
  readonly mounted?: readonly unknown[]
  readonly nodes: readonly (readonly unknown[])[]
  readonly openFiles: readonly (readonly unknown[])[]
  readonly descriptors: readonly (readonly unknown[])[]
}

describe('docs/snapshot-format.md', () => {
  let bytes: Uint8Array
  /** A snapshot whose stream is longer than one block. */
  let large: Opened
  let opened: Opened
  let stream: Stream
  let host: HostState
  let image: ReadableImage
  const unpack = (data: unknown) => new Packr({ mapsAsObjects: false }).unpack(data as Uint8Array)

  beforeAll(async () => {
    await using manager = await openManager({ slots: 1, snapshotKey: KEY })
    await using vfs = new VfsStorage()
    await using session = await manager.createSession({ tenant: TENANT, vfs })
    await session.execute(CODE)
    bytes = (await session.snapshotState()).toBytes()
    await session.execute('import random\nlarge = random.randbytes(2_000_000)')
    large = open((await session.snapshotState()).toBytes())
    opened = open(bytes)
    stream = openStream(unpackBody(opened.body))
    host = stream.host as HostState
    image = readable(await openImage({ cacheDir: inject('cacheDir') }))
  })

  test('names exactly the fields of the head and of the host state', () => {
    // Only snapshots left by a crashed session have `described`.
    const keys = [...Object.keys(opened.head), 'described']
    expect(names('The head').toSorted()).toEqual(keys.toSorted())
    const [fields, common] = [Object.keys(host), 12]
    const listed = names('The host state')
    expect(listed.slice(0, fields.length)).toEqual(fields)
    expect(listed.length).toBe(fields.length + common)
  })

  test('lists the members of each kind of node', () => {
    const kinds = ['file', 'directory', 'symbolic link', 'device', 'pipe']
    for (const node of host.nodes) {
      const kind = kinds[Number(node[1])] ?? ''
      expect([kind, node.length]).toEqual([kind, 12 + members(kind).length])
    }
    expect(new Set(host.nodes.map((node) => kinds[Number(node[1])])).size).toBeGreaterThanOrEqual(4)
    expect(host.openFiles.every(({ length }) => length === 5)).toBe(true)
    expect(host.descriptors.every(({ length }) => length === 3)).toBe(true)
    expect(host.mounted).toEqual([['/data', 'shared', 0, 0]])
    expect(host.openFiles.filter(([store]) => store === 2).map(([, node]) => node)).toEqual([1])
  })

  test('names every key of the description and of its globals', () => {
    const description: Map<string, unknown> = unpack(opened.head.description)
    expect(names('Description').toSorted()).toEqual([...description.keys()].toSorted())
    const [first] = description.get('globals') as Map<string, unknown>[]
    expect([...(first?.keys() ?? [])].filter((key) => !page.includes(`\`${key}\``))).toEqual([])
  })

  test('lists every kind of value', () => {
    const values: Map<string, Map<unknown, unknown>> = unpack(opened.head.values)
    const inner = [...(values.get('values')?.values() ?? []), values.get('lone')]
    const kinds = inner.flatMap((value) => (value instanceof Map ? [value.get(0)] : []))
    expect(kinds.toSorted()).toEqual(['datetime', 'int', 'set', 'text'])
    expect(names('Values')).toEqual(expect.arrayContaining(kinds))
    expect(values.has('held')).toBe(false)
  })

  test('describes the document, its checksum and its signature correctly', () => {
    expect([opened.magic, opened.version]).toEqual(['brumate snapshot', 2])
    expect(page).toContain('`brumate snapshot`')
    const head: Uint8Array = new Packr().unpack(bytes.subarray())[2]
    expect(sha256(head)).toEqual(Buffer.from(opened.checksum))
    expect(sha256(opened.body)).toEqual(Buffer.from(opened.head.bodyHash as Uint8Array))
    const name = Buffer.from(TENANT)
    const signed = createHmac('sha256', KEY)
    for (const part of ['brumate snapshot signature\n', `${name.length}\n`, name, opened.checksum])
      signed.update(part)
    expect(signed.digest()).toEqual(Buffer.from(opened.signature ?? []))
  })

  test('describes the sizes of blocks and of the parts of the stream correctly', () => {
    const { rawBytes } = opened.head as { rawBytes: number }
    const view = Buffer.from(opened.body)
    const sizes: number[] = []
    for (let at = 0; at < view.length; at += 9 + view.readUInt32LE(at + 5))
      sizes.push(view.readUInt32LE(at + 1))
    expect(sizes.length).toBe(Math.ceil(rawBytes / 2 ** 20))
    expect(sizes.slice(0, -1).every((size) => size === 2 ** 20)).toBe(true)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(rawBytes)
    expect(large.version).toBe(3)
    const { rawBytes: largeBytes } = large.head as { rawBytes: number }
    const body = Buffer.from(large.body)
    const [largeSizes, hashes]: [number[], Buffer[]] = [[], []]
    for (let at = 0; at < body.length; ) {
      const end = at + 9 + body.readUInt32LE(at + 5)
      largeSizes.push(body.readUInt32LE(at + 1))
      hashes.push(sha256(Buffer.concat([body.subarray(at, at + 9), sha256(body.subarray(at + 9, end))])))
      at = end
    }
    expect(largeSizes.length).toBeLessThanOrEqual(16 + Math.ceil(largeBytes / 2 ** 14))
    expect(largeSizes.every((size) => size > 0 && size <= 2 ** 20)).toBe(true)
    expect(largeSizes.reduce((sum, size) => sum + size, 0)).toBe(largeBytes)
    expect(sha256(Buffer.concat(hashes))).toEqual(Buffer.from(large.head.bodyHash as Uint8Array))
    expect(unpackBody(large.body).length).toBe(largeBytes)
    expect(unpackBody(opened.body).readDoubleLE(8)).toBe(stream.contents.length)
  })

  test('describes pages correctly: XORed with the image they give the session’s memory', () => {
    const { memoryBytes } = opened.head as { memoryBytes: number }
    const memory = Buffer.alloc(memoryBytes)
    let source = 0
    for (let i = 0; i < image.runs.length; i += 2) {
      const length = image.runs[i + 1] ?? 0
      image.bytes.read(source, memory, image.runs[i] ?? 0, length)
      source += length
    }
    expect(memory.includes('bytes that are nowhere else')).toBe(false)
    for (const [i, number] of stream.pages.entries()) {
      const page = memory.subarray(number * PAGE_BYTES, (number + 1) * PAGE_BYTES)
      const xored = stream.memory.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES)
      page.set(page.map((byte, at) => byte ^ (xored[at] ?? 0)))
    }
    expect(memory.includes('bytes that are nowhere else')).toBe(true)
  })

  test('describes contents correctly: extents and unread bytes lead to the data of files and pipes, with none left over', () => {
    let at = 0
    const found = new Map<unknown, Buffer>()
    for (const node of host.nodes) {
      const [kind, name] = [node[1], node[4]]
      if (kind === 0) {
        const [size, , , extents] = node.slice(12) as [number, number, number, number[]]
        const file = Buffer.alloc(size)
        for (let i = 0; i < extents.length; i += 2) {
          const length = extents[i + 1] ?? 0
          file.set(stream.contents.subarray(at, at + length), (extents[i] ?? 0) * CHUNK_BYTES)
          at += length
        }
        found.set(name, file)
      } else if (kind === 4) {
        const length = Number(node[13])
        found.set('pipe', stream.contents.subarray(at, at + length))
        at += length
      }
    }
    expect(at).toBe(stream.contents.length)
    expect(found.get('file')).toEqual(
      Buffer.concat([Buffer.from('first'), Buffer.alloc(200_000), Buffer.from('last')]),
    )
    expect(found.get('pipe')?.toString()).toBe('piped')
  })
})
