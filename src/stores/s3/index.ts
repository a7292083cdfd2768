// The sub-path `brumate/stores/s3`: a store in an S3 bucket. Owns how a session's two objects are kept consistent.
//
// A session has a record and a snapshot. The record names the snapshot, whose key is used only once. A write uploads the snapshot first,
// then the record, on condition that the stored record is still the one that was read: this is the compare-and-set. Renewing a lease
// uploads only the record. A process that is killed in between leaves a snapshot that no record names; `sweep` removes it.
import { randomBytes } from 'node:crypto'
import { InvalidOptionError, StoreError } from '../../shared/errors.js'
import { checkDelete, checkId, checkList, checkPut } from '../../store/arguments.js'
import { type ClientOptions, checkTimeoutMs } from '../../store/client-calls.js'
import { inParallel } from '../../store/in-parallel.js'
import { Once } from '../../store/once.js'
import type {
  DeleteOptions,
  ListOptions,
  PutOptions,
  SnapshotRecord,
  SnapshotStore,
  StoredPage,
  StoreEntry,
} from '../../store/store.js'
import { Bucket, type S3Client } from './bucket.js'
import { escapeId, type Keys, keysOf } from './keys.js'
import { decodeObject, describeStored, type RecordObject, type StoredRecord } from './record-object.js'

export type { ClientOptions } from '../../store/client-calls.js'

export type { S3Client }

export interface S3StoreOptions extends ClientOptions {
  readonly bucket: string
  /** Prefix of every key. Stores with different prefixes can share a bucket. Default `brumate/`. */
  readonly prefix?: string | undefined
}

export interface SweepOptions {
  /**
   * Age in milliseconds from which objects are removed; younger ones may belong to a write in progress. At least 3,600,000. Default
   * 86,400,000: a day.
   */
  readonly olderThanMs?: number | undefined
}

export interface SweepResult {
  /** Number of removed snapshots that no record named. */
  readonly snapshots: number
  /** Number of removed records of deleted sessions. */
  readonly records: number
}

const DAY_MS = 86_400_000
const LEAST_AGE_MS = 3_600_000
const READS_AT_ONCE = 16
const PAGE = 1000

/**
 * Keeps sessions in a bucket of S3, or of a server with the same conditional writes as S3 (`If-None-Match: *` and `If-Match`); the first
 * write tests that. An acknowledged write is as durable as the bucket. Leases use the server's clock, with a resolution of one second.
 */
export class S3Store implements SnapshotStore {
  readonly #bucket: Bucket
  readonly #name: string
  readonly #keys: Keys
  /** Tested before the first write, because a server that ignores conditions would lose updates silently. */
  readonly #checked = new Once(() => this.#tryConditions())

  /** @param connection a client of `@aws-sdk/client-s3`, which `close` leaves open, or the configuration of one */
  constructor(connection: S3Client | object, options: S3StoreOptions) {
    const { bucket, prefix = 'brumate/' } = options ?? {}
    if (typeof connection !== 'object' || connection === null)
      throw new InvalidOptionError('connection', 'an S3Client, or its configuration', connection)
    if (typeof bucket !== 'string' || bucket === '')
      throw new InvalidOptionError('bucket', 'the name of a bucket', bucket)
    if (typeof prefix !== 'string' || !/^[\w!.*'()/=-]{0,128}$/.test(prefix))
      throw new InvalidOptionError(
        'prefix',
        'at most 128 letters, digits and characters of "_!.*\'()/=-"',
        prefix,
      )
    this.#bucket = new Bucket(connection, bucket, checkTimeoutMs(options))
    this.#name = bucket
    this.#keys = keysOf(prefix)
  }

  async get(id: string): Promise<StoreEntry | undefined> {
    checkId(id)
    for (let before: string | undefined; ; ) {
      const stored = await this.#read(id)
      if (stored === undefined || stored.object.isDeleted) return undefined
      const { snapshot, nonce } = stored.object
      if (snapshot === undefined) return { ...describeStored(stored), bytes: new Uint8Array() }
      const key = this.#keys.snapshot(id, snapshot.nonce)
      const found = await this.#bucket.read(key, id)
      if (found?.bytes.length === snapshot.sizeBytes) return { ...describeStored(stored), bytes: found.bytes }
      if (found)
        throw this.#damaged(key, id, `has ${found.bytes.length} bytes instead of ${snapshot.sizeBytes}`)
      // A later write has removed the snapshot. If the record is still the same, the snapshot is missing.
      if (nonce === before) throw this.#damaged(key, id, 'is missing')
      before = nonce
    }
  }

  async put(
    id: string,
    bytes: Uint8Array | null,
    given: SnapshotRecord,
    options: PutOptions,
  ): Promise<number | undefined> {
    const record = checkPut(id, bytes, given, options)
    await this.#checked.get()
    const stored = await this.#read(id)
    const before = stored?.object.isDeleted ? undefined : stored?.object
    if ((before?.generation ?? 0) !== options.generation) return undefined
    const nonce = newNonce()
    let snapshot = before?.snapshot
    if (bytes !== null) {
      snapshot = bytes.length === 0 ? undefined : { nonce, sizeBytes: bytes.length }
      if (snapshot) await this.#bucket.write(this.#keys.snapshot(id, nonce), bytes, undefined, id)
    }
    // A new entry starts with the time, which is above the generations of all earlier entries whose records were swept.
    const generation = stored ? stored.object.generation + 1 : Math.floor(this.#bucket.nowMs * 1000)
    const createdAtMs = before && (before.createdAtMs ?? stored?.modifiedAtMs)
    const owner = options.owner && { id: options.owner.id, leaseMs: options.owner.leaseMs }
    const object = {
      version: 1,
      id,
      generation,
      nonce,
      isDeleted: false,
      record,
      createdAtMs,
      owner,
      snapshot,
    } as const
    const isWritten = await this.#replace(stored, object)
    const unused = isWritten ? before?.snapshot?.nonce : snapshot?.nonce
    if (bytes !== null && unused !== undefined) await this.#removeSnapshot(id, unused)
    return isWritten ? generation : undefined
  }

  async delete(id: string, options: DeleteOptions): Promise<boolean> {
    checkDelete(id, options)
    await this.#checked.get()
    const stored = await this.#read(id)
    if (stored === undefined || stored.object.isDeleted || stored.object.generation !== options.generation)
      return false
    const record = { tenant: '', imageId: '', labels: {}, executionCount: 0 }
    const generation = options.generation + 1
    const object = { version: 1, id, generation, nonce: newNonce(), isDeleted: true, record } as const
    if (!(await this.#replace(stored, object))) return false
    const { snapshot } = stored.object
    if (snapshot) await this.#removeSnapshot(id, snapshot.nonce)
    return true
  }

  async list(options?: ListOptions): Promise<StoredPage> {
    const { prefix, cursor, limit } = checkList(options)
    const after = cursor === undefined ? undefined : this.#keys.record(cursor)
    const keys = this.#keys.records + escapeId(prefix)
    const { objects, hasMore } = await this.#bucket.list(keys, after, limit)
    const ids = objects.map(({ key }) => this.#keys.idOf(key))
    const found = await inParallel(READS_AT_ONCE, ids, (id) => this.#read(id))
    const sessions = found.flatMap((stored) =>
      stored && !stored.object.isDeleted ? describeStored(stored) : [],
    )
    const last = ids.at(-1)
    return hasMore && last !== undefined ? { sessions, cursor: last } : { sessions }
  }

  /**
   * Removes objects that killed processes and deleted sessions have left. It reads every record, so call it about once a day, from one
   * process.
   *
   * @throws StoreError
   */
  async sweep({ olderThanMs = DAY_MS }: SweepOptions = {}): Promise<SweepResult> {
    if (!(Number.isFinite(olderThanMs) && olderThanMs >= LEAST_AGE_MS))
      throw new InvalidOptionError(
        'olderThanMs',
        `a number of milliseconds, at least ${LEAST_AGE_MS}`,
        olderThanMs,
      )
    const isOld = ({ modifiedAtMs }: { modifiedAtMs: number }) =>
      modifiedAtMs < this.#bucket.nowMs - olderThanMs
    const { snapshots: prefix, records } = this.#keys
    const snapshots = await this.#each(prefix, async (object) => {
      if (!isOld(object)) return false
      const id = this.#keys.idOf(this.#keys.recordOfSnapshot(object.key))
      const named = (await this.#read(id))?.object.snapshot?.nonce
      if (named !== undefined && this.#keys.snapshot(id, named) === object.key) return false
      await this.#bucket.remove(object.key, id)
      return true
    })
    const removed = await this.#each(records, async (object) => {
      if (!isOld(object)) return false
      const id = this.#keys.idOf(object.key)
      const stored = await this.#read(id)
      if (!stored?.object.isDeleted || !isOld(stored)) return false
      await this.#bucket.remove(object.key, id, stored.etag)
      return true
    })
    return { snapshots, records: removed }
  }

  /** Closes the connections of the client if the store created it. */
  async close(): Promise<void> {
    await this.#bucket.close()
  }

  async #read(id: string): Promise<StoredRecord | undefined> {
    const key = this.#keys.record(id)
    const found = await this.#bucket.read(key, id)
    if (found === undefined) return undefined
    const object = decodeObject(Buffer.from(found.bytes).toString())
    if (object?.id !== id) throw this.#damaged(key, id, 'is damaged')
    return { object, etag: found.etag, modifiedAtMs: found.modifiedAtMs, readAtMs: found.readAtMs }
  }

  /** The compare-and-set. The client retries by itself, so if the condition fails, the stored record may be the one of this write. */
  async #replace(stored: StoredRecord | undefined, object: RecordObject): Promise<boolean> {
    const { id, nonce } = object
    const body = Buffer.from(JSON.stringify(object))
    const condition = stored ? { ifMatch: stored.etag } : ({ ifNoneMatch: '*' } as const)
    if (await this.#bucket.write(this.#keys.record(id), body, condition, id)) return true
    return (await this.#read(id))?.object.nonce === nonce
  }

  /** Ignores errors: the write itself has happened, and `sweep` removes what is left. */
  async #removeSnapshot(id: string, nonce: string): Promise<void> {
    await this.#bucket.remove(this.#keys.snapshot(id, nonce), id).catch(() => {})
  }

  async #tryConditions(): Promise<void> {
    const { probe } = this.#keys
    const body = Buffer.from('see whether the server has conditional writes\n')
    const conditions = [
      { ifNoneMatch: '*' },
      { ifNoneMatch: '*' },
      { ifMatch: '"00000000000000000000000000000000"' },
    ] as const
    const results: boolean[] = []
    for (const condition of conditions) results.push(await this.#bucket.write(probe, body, condition))
    // The first result says nothing: the object may or may not have existed.
    if (!results[1] && !results[2]) return
    const message = `the server of the bucket ${this.#name} ignores If-None-Match or If-Match when it writes, so that updates would be lost; use a server that has conditional writes`
    throw new StoreError(message, { reason: 'unsuitable' })
  }

  async #each(
    prefix: string,
    work: (object: { key: string; modifiedAtMs: number }) => Promise<boolean>,
  ): Promise<number> {
    let count = 0
    for (let after: string | undefined; ; ) {
      const { objects, hasMore } = await this.#bucket.list(prefix, after, PAGE)
      count += (await inParallel(READS_AT_ONCE, objects, work)).filter(Boolean).length
      after = objects.at(-1)?.key
      if (!hasMore || after === undefined) return count
    }
  }

  #damaged(key: string, sessionId: string, what: string): StoreError {
    const remedy = 'restore the bucket from a backup, or delete the object to discard the session'
    return new StoreError(`the object ${key} of ${this.#name} ${what}; ${remedy}`, {
      reason: 'damaged',
      sessionId,
    })
  }
}

function newNonce(): string {
  return randomBytes(12).toString('hex')
}
