// Deltas in stores: their encoding, how a chain is resolved, and its limits.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { DeltaError, decodeDelta, encodeDelta, resolveChain } from '../../src/store/delta.js'
import { DirectoryStore } from '../../src/store/directory-store.js'
import { MemoryStore } from '../../src/store/memory-store.js'
import type { SnapshotDelta } from '../../src/store/store.js'
import { takenDeltas } from './support/chains.js'

const whole = Uint8Array.from({ length: 100 }, (_, i) => i)
const delta = (baseBytes: number, sizeBytes: number, ...parts: SnapshotDelta['parts']): SnapshotDelta => ({
  baseBytes,
  sizeBytes,
  parts,
})

test('a delta decodes to what was encoded, and any damage is detected', async () => {
  const given = delta(
    100,
    13,
    { start: 5, end: 10 },
    Uint8Array.of(1, 2, 3),
    { start: 0, end: 5 },
    new Uint8Array(),
  )
  const bytes = await encodeDelta(given)
  expect(await decodeDelta(bytes)).toEqual(given)
  for (let at = 0; at < bytes.length; at += 1) {
    const damaged = new Uint8Array(bytes)
    damaged[at] = (damaged[at] ?? 0) ^ 0x10
    await expect(decodeDelta(damaged)).rejects.toThrow(DeltaError)
    await expect(decodeDelta(bytes.subarray(0, at))).rejects.toThrow(DeltaError)
  }
})

test('each delta of a chain refers to the result of those before it', async () => {
  const chain = [
    delta(
      100,
      60,
      { start: 40, end: 90 },
      Uint8Array.from({ length: 10 }, () => 255),
    ),
    delta(60, 30, { start: 45, end: 60 }, { start: 0, end: 15 }),
    delta(30, 61, { start: 0, end: 30 }, { start: 0, end: 30 }, Uint8Array.of(7)),
  ]
  const second = [85, 86, 87, 88, 89, ...Array(10).fill(255), ...Array.from({ length: 15 }, (_, i) => 40 + i)]
  expect([...(await resolveChain(whole, chain.slice(0, 2)))]).toEqual(second)
  expect([...(await resolveChain(whole, chain))]).toEqual([...second, ...second, 7])
})

test.each<[string, SnapshotDelta[]]>([
  ['is a difference to another snapshot', [delta(99, 0)]],
  ['makes more than it says', [delta(100, 3, { start: 0, end: 4 })]],
  ['refers to bytes beyond the end', [delta(100, 10, { start: 95, end: 105 })]],
  ['refers to bytes before the beginning', [delta(100, 10, { start: -5, end: 5 })]],
  ['has a range that is none', [delta(100, 0, { start: Number.NaN, end: Number.NaN })]],
  [
    'grows without end',
    Array.from({ length: 32 }, (_, i) => {
      const size = 100 * 8 ** i
      return delta(size, 8 * size, ...Array.from({ length: 8 }, () => ({ start: 0, end: size })))
    }),
  ],
])('a chain with a delta that %s is refused', async (_, chain) => {
  await expect(resolveChain(whole, chain)).rejects.toThrow(DeltaError)
})

test('chains have at most 32 deltas, and no more bytes than the snapshot they start from', async () => {
  const path = mkdtempSync(join(tmpdir(), 'brumate-store-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  for (const store of [new MemoryStore(), new DirectoryStore(path)]) {
    expect(await takenDeltas(store, 10)).toEqual([32, 32])
    expect(await takenDeltas(store, 30_000)).toEqual([3, 3])
  }
})
