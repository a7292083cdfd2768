// The contents of an image's files as a slot reads them: blocks are read on demand, and each is verified.
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dataModuleBytes } from '../../src/shared/image/data-module.js'
import { blockHashes, FILE_BLOCK_BYTES } from '../../src/shared/image/file-blocks.js'
import { FsError } from '../../workers/host/errno.js'
import { ImageFiles } from '../../workers/image-files.js'

const OFFSET = 1000
/** Ten blocks, the last one shorter. */
const LENGTH = 9 * FILE_BLOCK_BYTES + 123
const CONTENTS = Uint8Array.from({ length: LENGTH }, (_, i) => (i * 7 + (i >> 8)) % 251)
const HASHES = blockHashes(CONTENTS)

let directory: string
let path: string
let descriptor: number
let files: ImageFiles
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'brumate-files-'))
  path = join(directory, 'image')
  writeFileSync(path, Buffer.concat([Buffer.alloc(OFFSET), CONTENTS]))
  descriptor = openSync(path, 'r')
  files = new ImageFiles({ kind: 'file', descriptor, offset: OFFSET }, LENGTH, HASHES)
})
afterEach(() => {
  try {
    closeSync(descriptor)
  } catch {
    // The test closed it.
  }
  rmSync(directory, { recursive: true })
})

function read(from: number, count: number, of = files): Uint8Array {
  const into = new Uint8Array(count + 2)
  of.read(from, into, 1, count)
  expect([into[0], into.at(-1)]).toEqual([0, 0])
  return into.subarray(1, -1)
}

/** Inverts one byte of the file. */
function damage(at: number): void {
  const writing = openSync(path, 'r+')
  writeSync(writing, Uint8Array.of(255 ^ (CONTENTS[at] ?? 0)), 0, 1, OFFSET + at)
  closeSync(writing)
}

const blockAt = (index: number) => index * FILE_BLOCK_BYTES
const expectEio = (run: () => unknown) => {
  expect(run).toThrow(FsError)
  expect(run).toThrow('EIO')
}

describe('the files of an image', () => {
  test('are read unchanged, within a block, across blocks, and to the end', () => {
    for (const [from, count] of [
      [0, 10],
      [5, 0],
      [blockAt(1) - 3, 7],
      [blockAt(2) + 1, 3 * FILE_BLOCK_BYTES],
      [LENGTH - 200, 200],
      [0, LENGTH],
    ] as const)
      expect(Buffer.compare(read(from, count), CONTENTS.subarray(from, from + count))).toBe(0)
  })

  test('load nothing until they are read, then one block at a time, and keep loaded blocks', () => {
    expect(files.loadedBlocks).toBe(0)
    read(blockAt(3) + 5, 20_000)
    expect(files.loadedBlocks).toBe(1)
    for (let at = 0; at < FILE_BLOCK_BYTES; at += 8192) read(blockAt(3) + at, 8192)
    expect(files.loadedBlocks).toBe(1)
    for (let round = 0; round < 5; round += 1) for (const block of [3, 7, 1, 9]) read(blockAt(block), 100)
    expect(files.loadedBlocks).toBe(4)
    read(0, LENGTH)
    expect(files.loadedBlocks).toBeLessThanOrEqual(14)
  })

  test('give EIO where the file is damaged, and nowhere else', () => {
    damage(blockAt(4) + 17)
    expect(read(blockAt(3), FILE_BLOCK_BYTES)).toHaveLength(FILE_BLOCK_BYTES)
    expectEio(() => read(blockAt(4), 1))
    expectEio(() => read(0, LENGTH))
    expect(read(blockAt(5), 10)).toEqual(CONTENTS.slice(blockAt(5), blockAt(5) + 10))
  })

  test('give EIO where the file was changed after an earlier read', () => {
    read(0, LENGTH)
    damage(5)
    expectEio(() => read(0, 10))
    // A block that is still loaded from before the change stays correct.
    damage(LENGTH - 1)
    expect(read(LENGTH - 1, 1)).toEqual(CONTENTS.slice(-1))
  })

  test('give EIO if the file was cut, or replaced', () => {
    truncateSync(path, OFFSET + blockAt(2) + 5)
    expect(read(blockAt(1), 10)).toHaveLength(10)
    expectEio(() => read(blockAt(2), 5))
    closeSync(descriptor)
    expectEio(() => read(blockAt(0), 5))
    writeFileSync(path, Buffer.alloc(OFFSET + LENGTH, 1))
    descriptor = openSync(path, 'r')
    expectEio(() => read(blockAt(0), 5))
  })

  test('end where the image says', () => {
    expectEio(() => read(LENGTH - 5, 6))
    expectEio(() => read(LENGTH, 1))
    expectEio(() => read(2 ** 40, 1))
    expectEio(() => read(Number.NaN, 1))
  })

  test('are read from a module if there is no file', () => {
    const module = new WebAssembly.Module(dataModuleBytes([CONTENTS]))
    const inModule = new ImageFiles({ kind: 'module', module }, LENGTH, HASHES)
    expect(Buffer.compare(read(0, LENGTH, inModule), CONTENTS)).toBe(0)
  })
})
