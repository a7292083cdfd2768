// A store in a directory, shared by the processes of one machine. Owns the location of sessions' folders, listing, and the store's errors;
// directory/session-folder.ts owns what happens inside a session's folder.
import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describeErrno } from '../shared/errno-text.js'
import { BrumateError, InvalidOptionError, StoreError } from '../shared/errors.js'
import { checkDelete, checkId, checkList, checkPut, checkPutDelta, compareIds, isId } from './arguments.js'
import { encodeDelta } from './delta.js'
import { errnoOf, flushFolder, makeFolder, namesIn, unless } from './directory/files.js'
import { fanName, folderName, idOfFolder, isFanName } from './directory/names.js'
import { describeRecord, type EntryRecord } from './directory/record-file.js'
import { type Content, removeFolder, SessionFolder, type Write } from './directory/session-folder.js'
import { inParallel } from './in-parallel.js'
import type {
  DeleteOptions,
  ListOptions,
  PutOptions,
  SnapshotDelta,
  SnapshotRecord,
  SnapshotStore,
  StoredPage,
  StoredSession,
  StoreEntry,
} from './store.js'

export interface DirectoryStoreOptions {
  /** Called by `list` for each damaged entry, which it then leaves out. Without this function, `list` fails with the error. */
  readonly onDamaged?: (error: StoreError) => void
}

/** Version of the directory's layout. Another version would use another folder. */
const LAYOUT = 'v1'
/** Folder in which new entries are prepared. */
const PREPARATIONS = 'new'
/** Age at which a prepared entry counts as abandoned. Its process was killed, even if another process now has the same pid. */
const OLD_PREPARATION_MS = 3_600_000
/** Node has four threads for file operations, and other code needs them, too. */
const READS_AT_ONCE = 8
/** `list` sorts and trims its candidates when it has more than this many per entry of the page. */
const CANDIDATES_PER_ENTRY = 4

/**
 * Keeps sessions as files. Any number of processes on one machine may use the same directory at the same time. An acknowledged write
 * survives `kill -9` and, if the disk flushes when it says so, a loss of power. Leases use the machine's clock.
 *
 * The file system must support hard links. Network file systems do not work, because other machines can see writes in another order.
 */
export class DirectoryStore implements SnapshotStore {
  readonly #path: string
  readonly #layout: string
  readonly #onDamaged: ((error: StoreError) => void) | undefined
  /** Folders that this store has flushed to disk, or is flushing. */
  readonly #flushed = new Map<string, Promise<void>>()
  #swept: Promise<void> | undefined

  /** @param path of the directory, which is created when it is first needed */
  constructor(path: string, options: DirectoryStoreOptions = {}) {
    if (typeof path !== 'string' || path === '' || path.includes('\0'))
      throw new InvalidOptionError('path', 'the path of a directory', path)
    const { onDamaged } = options
    if (onDamaged !== undefined && typeof onDamaged !== 'function')
      throw new InvalidOptionError('onDamaged', 'a function', onDamaged)
    this.#path = resolve(path)
    this.#layout = join(this.#path, LAYOUT)
    this.#onDamaged = onDamaged
  }

  async get(id: string): Promise<StoreEntry | undefined> {
    checkId(id)
    return await this.#typed(id, async () => {
      const found = await this.#folderOf(id).read()
      return found && { ...describeRecord(found.entry), bytes: found.bytes }
    })
  }

  async put(
    id: string,
    bytes: Uint8Array | null,
    given: SnapshotRecord,
    options: PutOptions,
  ): Promise<number | undefined> {
    const record = checkPut(id, bytes, given, options)
    const { generation, owner } = options
    const folder = this.#folderOf(id)
    const content = bytes === null ? ({ kind: 'kept' } as const) : ({ kind: 'whole', bytes } as const)
    const write = { content, fields: fieldsOf(record, owner) }
    return await this.#typed(id, async () => {
      if (generation === 0) return (await this.#create(folder, write))?.generation
      const entry = await folder.replace(generation, write)
      // Only a delta can be answered with `whole`.
      if (entry === undefined || entry === 'whole') return undefined
      await folder.tidy(entry)
      return entry.generation
    })
  }

  async putDelta(
    id: string,
    givenDelta: SnapshotDelta,
    given: SnapshotRecord,
    options: PutOptions,
  ): Promise<number | 'whole' | undefined> {
    const { record, delta } = checkPutDelta(id, givenDelta, given, options)
    const { generation, owner } = options
    const folder = this.#folderOf(id)
    return await this.#typed(id, async () => {
      if (generation === 0) return (await this.#exists(folder)) ? undefined : 'whole'
      const content: Content = { kind: 'delta', delta, bytes: await encodeDelta(delta) }
      const entry = await folder.replace(generation, { content, fields: fieldsOf(record, owner) })
      if (entry === undefined || entry === 'whole') return entry
      await folder.tidy(entry)
      return entry.generation
    })
  }

  async delete(id: string, options: DeleteOptions): Promise<boolean> {
    checkDelete(id, options)
    const folder = this.#folderOf(id)
    return await this.#typed(id, async () => {
      const record = { tenant: '', imageId: '', labels: {}, executionCount: 0 }
      const fields = () => ({ isDeleted: true, record })
      const deleted = await folder.replace(options.generation, { content: NOTHING, fields })
      if (deleted === undefined || deleted === 'whole') return false
      // Wait until the clock has passed this generation: the next entry takes its first generation from the clock, and needs a higher one.
      for (let waits = 0; Date.now() * 1000 <= deleted.generation && waits < 3; waits += 1) await delay(1)
      // If the clock was set back, the record stays, and the next entry continues from its generation.
      if (Date.now() * 1000 > deleted.generation) await folder.clear(deleted)
      return true
    })
  }

  async list(options?: ListOptions): Promise<StoredPage> {
    const { prefix, cursor, limit } = checkList(options)
    return await this.#typed(undefined, async () => {
      // A fast path to look up one entry by its id, which sorts before all longer ids that begin with it.
      if (limit === 1 && cursor === undefined && isId(prefix)) {
        const entry = await this.#recordOf(this.#folderOf(prefix))
        if (entry) return { sessions: [describeRecord(entry)], cursor: prefix }
      }
      const isAsked = (id: string) =>
        id.startsWith(prefix) && (cursor === undefined || compareIds(id, cursor) > 0)
      const candidates = await this.#firstIds(isAsked, limit + 1)
      const page = candidates.slice(0, limit)
      const entries = await inParallel(READS_AT_ONCE, page, (id) => this.#recordOf(this.#folderOf(id)))
      const sessions: StoredSession[] = entries.flatMap((entry) => (entry ? describeRecord(entry) : []))
      const last = page.at(-1)
      return candidates.length > limit && last !== undefined ? { sessions, cursor: last } : { sessions }
    })
  }

  #folderOf(id: string): SessionFolder {
    const name = folderName(id)
    return new SessionFolder(join(this.#layout, fanName(name), name), id)
  }

  async #create(folder: SessionFolder, write: Write): Promise<EntryRecord | undefined> {
    const preparations = join(this.#layout, PREPARATIONS)
    await this.#makeFolder(this.#layout)
    await this.#makeFolder(dirname(folder.path))
    await this.#makeFolder(preparations)
    this.#swept ??= sweep(preparations)
    await this.#swept
    return await folder.create(() => join(preparations, `${process.pid}-${randomUUID()}`), write)
  }

  /** Flushes each folder once, even if it exists: another process may have made it, and been killed before it was on the disk. */
  async #makeFolder(path: string): Promise<void> {
    const make = async () => {
      await makeFolder(path)
      await flushFolder(dirname(path))
    }
    const made = this.#flushed.get(path) ?? make()
    this.#flushed.set(path, made)
    try {
      await made
    } catch (error) {
      this.#flushed.delete(path)
      throw error
    }
  }

  /** The lowest matching ids. Reads one folder at a time and keeps few ids, so that no step takes long. */
  async #firstIds(isAsked: (id: string) => boolean, count: number): Promise<string[]> {
    const fans = ((await namesIn(this.#layout)) ?? []).filter(isFanName)
    let lowest: string[] = []
    const sort = () => {
      lowest = lowest.sort(compareIds).slice(0, count)
    }
    await inParallel(READS_AT_ONCE, fans, async (fan) => {
      const names = (await namesIn(join(this.#layout, fan))) ?? []
      const ids = names.flatMap((name) => idOfFolder(name) ?? [])
      lowest.push(...ids.filter(isAsked))
      const hashed = names.filter((name) => idOfFolder(name) === null)
      for (const name of hashed) {
        const entry = await this.#recordOf(new SessionFolder(join(this.#layout, fan, name), undefined))
        if (entry && isAsked(entry.id)) lowest.push(entry.id)
      }
      if (lowest.length > CANDIDATES_PER_ENTRY * count) sort()
    })
    sort()
    return lowest
  }

  async #exists(folder: SessionFolder): Promise<boolean> {
    return (await folder.current())?.isDeleted === false
  }

  async #recordOf(folder: SessionFolder): Promise<EntryRecord | undefined> {
    try {
      const entry = await folder.current()
      return entry?.isDeleted ? undefined : entry
    } catch (error) {
      if (!(error instanceof StoreError && error.reason === 'damaged' && this.#onDamaged)) throw error
      this.#onDamaged(error)
      return undefined
    }
  }

  async #typed<T>(sessionId: string | undefined, call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      if (error instanceof BrumateError || errnoOf(error) === '') throw error
      throw this.#storeError(error as NodeJS.ErrnoException, sessionId)
    }
  }

  #storeError(cause: NodeJS.ErrnoException, sessionId: string | undefined): StoreError {
    const errno = errnoOf(cause)
    if (cause.syscall === 'link') {
      const message = `the file system of ${this.#path} cannot make hard links (${errno}); use a directory on a local file system that can`
      return new StoreError(message, { reason: 'unsuitable', sessionId, cause })
    }
    const where = cause.path ?? this.#path
    const remedy = REMEDIES[errno] ?? 'see the cause'
    const message = `${errno}: ${describeErrno(errno)}, ${cause.syscall} ${where}: ${remedy}`
    return new StoreError(message, { sessionId, cause })
  }
}

const NOTHING: Extract<Content, { kind: 'whole' }> = { kind: 'whole', bytes: new Uint8Array() }

function fieldsOf(record: SnapshotRecord, owner: PutOptions['owner']): Write['fields'] {
  return () => ({
    isDeleted: false,
    record,
    owner: owner && { id: owner.id, expiresAtMs: Date.now() + owner.leaseMs },
  })
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'free space on the disk and try again',
  EDQUOT: 'free space in the quota of this user and try again',
  EACCES: 'let the user of this process read and write the directory',
  EPERM: 'let the user of this process read and write the directory',
  EROFS: 'the file system is read-only; use a directory on another one',
  ENOTDIR: 'a file is where the store needs a directory; choose another path',
  EMFILE: 'this process has too many open files; raise its limit (ulimit -n)',
  ENFILE: 'the system has too many open files',
  EIO: 'the disk failed; check it, and restore the directory from a backup',
}

/** Removes prepared entries whose processes were killed. If one is still being prepared, its process prepares it again. */
async function sweep(path: string): Promise<void> {
  for (const name of (await namesIn(path)) ?? []) {
    const pid = Number(/^(\d+)-/.exec(name)?.[1])
    if (!pid) continue
    const folder = join(path, basename(name))
    const facts = await unless('ENOENT', () => stat(folder))
    if (facts && (!isAlive(pid) || facts.mtimeMs < Date.now() - OLD_PREPARATION_MS))
      await removeFolder(folder)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errnoOf(error) !== 'ESRCH'
  }
}
