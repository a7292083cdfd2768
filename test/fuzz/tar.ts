// Damaged and invented tar archives, whole and in parts: each becomes a storage or is rejected with a StorageError, in bounded time,
// memory and space. What was imported can be exported and imported again.
import { StorageError, VfsStorage } from 'brumate'
import { Random } from '../../chaos/random.js'
import { mutate } from '../snapshot/support/mutate.js'

export const name = 'tar'

interface FuzzOptions {
  readonly seed: number
  readonly deadlineMs: number
  readonly maxCases?: number
  readonly onProgress: (cases: number) => void
}

interface FuzzReport {
  readonly cases: number
  readonly counts: Record<string, number>
  readonly faults: string[]
}

const BLOCK_BYTES = 512
const MAX_BYTES = 2 ** 20
/** Above the memory used at the start. */
const MOST_BYTES = 400 * 2 ** 20
/** All archives have at most a few thousand entries. */
const LONGEST_MS = 20_000
const MAX_FAULTS = 20

export async function run({
  seed,
  deadlineMs,
  maxCases = Number.POSITIVE_INFINITY,
  onProgress,
}: FuzzOptions): Promise<FuzzReport> {
  const random = new Random(seed)
  const below = (n: number) => random.integer(0, Math.max(0, n - 1))
  const counts: Record<string, number> = {}
  const faults: string[] = []
  const real = await realArchive()
  const startBytes = process.memoryUsage.rss()
  let cases = 0
  for (; cases < maxCases && performance.now() < deadlineMs && faults.length < MAX_FAULTS; cases++) {
    const archive = random.chance(0.5) ? mutate(real, below) : madeUp(random, below)
    const outcome = await fate(archive, random)
    if (outcome instanceof Error)
      faults.push(`case ${cases}: ${outcome.stack}: ${Buffer.from(archive).toString('hex').slice(0, 4000)}`)
    else counts[outcome] = (counts[outcome] ?? 0) + 1
    if (process.memoryUsage.rss() - startBytes > MOST_BYTES) faults.push(`case ${cases}: the process grows`)
    onProgress(cases)
  }
  return { cases, counts, faults }
}

async function realArchive(): Promise<Uint8Array> {
  await using storage = new VfsStorage()
  await storage.mkdir('/dir/inner', { recursive: true })
  await storage.writeFile('/dir/file', 'contents')
  await storage.writeFile(`/${'long'.repeat(40)}`, new Uint8Array(2000))
  return await collect(storage.export())
}

async function collect(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part)
  return Buffer.concat(all)
}

const TYPES = [...'0257xgLK', '\0', '1', '3', '6', 'S', 'é']
const NAMES = [
  'a',
  'dir/',
  'dir/b',
  '../out',
  '/absolute',
  '.',
  '..',
  '',
  'a/../../b',
  'x'.repeat(100),
  '\xff\xfe',
  './././@LongLink',
]
const NUMBERS = [
  '0',
  '7',
  '777',
  '00000000017',
  '77777777777',
  '8',
  '-1',
  ' 12 ',
  '',
  '\x80\0\0\0\0\0\0\0\0\0\x10\0',
  '\xff'.repeat(12),
]
const PAX = ['path', 'linkpath', 'size', 'mtime', 'uid', 'comment', 'GNU.sparse.map']

/** Mostly headers with correct checksums and matching contents. */
function madeUp(random: Random, below: (n: number) => number): Uint8Array {
  const blocks: Buffer[] = []
  for (let entries = random.integer(1, 12); entries > 0; entries--) {
    const type = random.pick(TYPES)
    const contents =
      type === 'x' && random.chance(0.8)
        ? paxRecords(random)
        : Buffer.alloc(random.pick([0, 0, 1, 512, 3000]), 0x61)
    const head = Buffer.alloc(BLOCK_BYTES)
    head.write(random.pick(NAMES), 0, 'latin1')
    head.write(random.pick(NUMBERS), 100, 8, 'latin1')
    head.write(random.chance(0.8) ? contents.length.toString(8) : random.pick(NUMBERS), 124, 12, 'latin1')
    head.write(random.pick(NUMBERS), 136, 12, 'latin1')
    head.write(`        ${type}`, 148, 'latin1')
    head.write(random.pick(NAMES), 157, 'latin1')
    if (random.chance(0.7)) head.write('ustar\x0000', 257, 'latin1')
    if (random.chance(0.1)) head.write(random.pick(NAMES), 345, 'latin1')
    const sum = head.reduce((all, byte) => all + byte, 0)
    head.write(`${sum.toString(8).padStart(6, '0')}\0`, 148, 'latin1')
    if (random.chance(0.03)) head[below(BLOCK_BYTES)] = below(256)
    blocks.push(head, contents)
    if (random.chance(0.95))
      blocks.push(Buffer.alloc((BLOCK_BYTES - (contents.length % BLOCK_BYTES)) % BLOCK_BYTES))
    if (random.chance(0.05))
      for (let again = random.integer(1, 200); again > 0; again--) blocks.push(head, contents)
  }
  if (random.chance(0.8)) blocks.push(Buffer.alloc(2 * BLOCK_BYTES))
  return Buffer.concat(blocks)
}

function paxRecords(random: Random): Buffer {
  let text = ''
  for (let records = random.integer(1, 5); records > 0; records--) {
    const rest = ` ${random.pick(PAX)}=${random.pick([...NAMES, ...NUMBERS, '1e300', 'NaN', '9'.repeat(30)])}\n`
    const length = rest.length + String(rest.length + 2).length
    text += `${random.chance(0.9) ? length : random.integer(0, 999_999)}${rest}`
  }
  return Buffer.from(text, 'latin1')
}

async function fate(archive: Uint8Array, random: Random): Promise<string | Error> {
  const source = random.chance(0.5) ? archive : inParts(archive, random)
  const startedMs = performance.now()
  try {
    await using storage = await VfsStorage.import(source, { maxBytes: MAX_BYTES })
    const again = await VfsStorage.import(storage.export(), { maxBytes: MAX_BYTES })
    await again.close()
    if (performance.now() - startedMs > LONGEST_MS) return new Error('it took too long')
    return 'imported'
  } catch (error) {
    if (performance.now() - startedMs > LONGEST_MS) return new Error('it took too long to refuse it')
    if (error instanceof StorageError) return error.reason
    return error instanceof Error ? error : new Error(`threw ${typeof error}`)
  }
}

async function* inParts(archive: Uint8Array, random: Random): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < archive.length; ) {
    const length = random.pick([0, 1, 7, 511, 512, 513, 4096])
    yield archive.subarray(at, at + length)
    at += length
  }
}
