// Checks the arguments of a store's methods. Every store of this package calls these checks before it does anything else. Owns the rules
// for ids, records and pages; `store.ts` documents them.
import { InvalidOptionError } from '../shared/errors.js'
import { isUint8Array } from '../shared/realms.js'
import type {
  DeleteOptions,
  DeltaRange,
  ListOptions,
  PutOptions,
  SnapshotDelta,
  SnapshotRecord,
} from './store.js'

export const MAX_ID_BYTES = 256
const DEFAULT_PAGE = 100
const LONGEST_PAGE = 1000

export function isId(id: unknown): id is string {
  return isText(id) && id !== '' && Buffer.byteLength(id) <= MAX_ID_BYTES
}

export function checkId(id: unknown): asserts id is string {
  if (isId(id)) return
  throw new InvalidOptionError('id', `a string of 1 to ${MAX_ID_BYTES} UTF-8 bytes`, id)
}

/** Checks the arguments of `put`. Returns a copy of the record with its known fields only. */
export function checkPut(
  id: string,
  bytes: Uint8Array | null,
  record: SnapshotRecord,
  options: PutOptions,
): SnapshotRecord {
  checkId(id)
  if (bytes !== null && !isUint8Array(bytes))
    throw new InvalidOptionError('bytes', 'a Uint8Array or null', bytes)
  checkGeneration(options, 0)
  const { owner } = options
  if (owner !== undefined) {
    if (!isText(owner?.id) || owner.id === '')
      throw new InvalidOptionError('owner.id', 'a string that is not empty', owner?.id)
    if (
      !(Number.isFinite(owner.leaseMs) && owner.leaseMs > 0 && owner.leaseMs <= Number.MAX_SAFE_INTEGER / 2)
    )
      throw new InvalidOptionError('owner.leaseMs', 'a number of milliseconds above 0', owner.leaseMs)
  }
  return checkRecord(record)
}

/** Checks the arguments of `putDelta`. Returns copies of the record and the delta with their known fields only. */
export function checkPutDelta(
  id: string,
  delta: SnapshotDelta,
  record: SnapshotRecord,
  options: PutOptions,
): { readonly record: SnapshotRecord; readonly delta: SnapshotDelta } {
  const { baseBytes, sizeBytes, parts } = delta ?? {}
  if (!(isCount(baseBytes) && isCount(sizeBytes) && Array.isArray(parts)))
    throw new InvalidOptionError('delta', 'two lengths, and a list of parts', delta)
  let sum = 0
  const own = parts.map((part: Uint8Array | DeltaRange) => {
    if (isUint8Array(part)) {
      sum += part.length
      return part
    }
    const { start, end } = part ?? {}
    if (!(isCount(start) && isCount(end) && start <= end && end <= baseBytes))
      throw new InvalidOptionError('delta.parts', 'bytes, and ranges within `baseBytes`', part)
    sum += end - start
    return { start, end }
  })
  if (sum !== sizeBytes)
    throw new InvalidOptionError('delta.sizeBytes', `the length of its parts, ${sum}`, sizeBytes)
  return { record: checkPut(id, null, record, options), delta: { baseBytes, sizeBytes, parts: own } }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

export function checkDelete(id: string, options: DeleteOptions): void {
  checkId(id)
  checkGeneration(options, 1)
}

export interface PageRequest {
  readonly prefix: string
  readonly cursor: string | undefined
  readonly limit: number
}

export function checkList(options: ListOptions = {}): PageRequest {
  const { prefix = '', cursor, after, limit = DEFAULT_PAGE } = options
  if (!isText(prefix)) throw new InvalidOptionError('prefix', 'a string', prefix)
  if (cursor !== undefined && !isText(cursor))
    throw new InvalidOptionError('cursor', 'the cursor of an earlier page', cursor)
  if (after !== undefined && !isText(after)) throw new InvalidOptionError('after', 'an id', after)
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= LONGEST_PAGE))
    throw new InvalidOptionError('limit', `an integer from 1 to ${LONGEST_PAGE}`, limit)
  // The cursors of these stores are the last ids of pages.
  return { prefix, cursor: cursor ?? after, limit }
}

/** Compares ids in the order of their UTF-8 bytes, without encoding them. */
export function compareIds(a: string, b: string): number {
  const end = Math.min(a.length, b.length)
  for (let i = 0; i < end; i += 1) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left === right) continue
    // UTF-8 sorts characters above U+FFFF last, but their surrogates are code units below U+E000.
    const isLeftHigh = (left & 0xf800) === 0xd800
    const isRightHigh = (right & 0xf800) === 0xd800
    return isLeftHigh === isRightHigh ? left - right : isLeftHigh ? 1 : -1
  }
  return a.length - b.length
}

function checkGeneration({ generation }: { readonly generation: number }, least: number): void {
  if (!(Number.isSafeInteger(generation) && generation >= least))
    throw new InvalidOptionError('generation', `an integer of at least ${least}`, generation)
}

function checkRecord({ tenant, imageId, labels, executionCount, outcomes }: SnapshotRecord): SnapshotRecord {
  if (typeof tenant !== 'string') throw new InvalidOptionError('record.tenant', 'a string', tenant)
  if (typeof imageId !== 'string') throw new InvalidOptionError('record.imageId', 'a string', imageId)
  if (!(Number.isSafeInteger(executionCount) && executionCount >= 0))
    throw new InvalidOptionError('record.executionCount', 'an integer of at least 0', executionCount)
  if (outcomes !== undefined && !isText(outcomes))
    throw new InvalidOptionError('record.outcomes', 'a string', outcomes)
  if (typeof labels !== 'object' || labels === null)
    throw new InvalidOptionError('record.labels', 'an object of strings', labels)
  const own = Object.entries(labels)
  for (const [name, value] of own)
    if (typeof value !== 'string') throw new InvalidOptionError(`record.labels.${name}`, 'a string', value)
  // fromEntries instead of assignments: a label may be named `__proto__`.
  const record = { tenant, imageId, labels: Object.fromEntries(own), executionCount }
  return outcomes === undefined ? record : { ...record, outcomes }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed()
}
