// One session's folder: which record is current, how the next one replaces it, what can be removed. Owns the order of steps that keeps the
// folder consistent when processes run at the same time or are killed at any moment. There are no locks.
//
// - A folder has `G.record` for each generation G that has not been removed yet. The highest is current. A name is never used twice: an
//   entry's first generation is the time in microseconds.
// - To write generation G, a writer creates a draft of G, then checks that G - 1 is still current, then hard-links the draft to
//   `G.record`. If there are several drafts of G, one gets the name.
// - To remove files older than a record G, a process first removes the drafts of generations up to G. So if a draft can be linked to
//   `G.record`, no record of G or above was removed since the draft was created, and the check made afterwards still holds.
// - A record names a whole snapshot and the deltas behind it. If a later record names a file of a generation up to G, G's record names it
//   too, so removing the other files never removes one that a later record needs.
// - A killed writer leaves a draft and perhaps a snapshot or a delta. No process waits for them, and the next write removes them.
// - A new entry is a folder that is prepared elsewhere and then renamed, which succeeds only if there is no folder, or an empty one.
import { link, lstat, mkdir, open, readFile, rename, rmdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { StoreError } from '../../shared/errors.js'
import { DeltaError, decodeDelta, hasRoom, resolveChain } from '../delta.js'
import type { SnapshotDelta } from '../store.js'
import {
  errnoOf,
  FILE_MODE,
  FOLDER_MODE,
  flushFolder,
  namesIn,
  readFileOf,
  removeFile,
  unless,
  writeAndFlush,
  writeNewFile,
} from './files.js'
import {
  deltaName,
  draftName,
  type FolderFile,
  newNonce,
  parseFile,
  recordName,
  snapshotName,
} from './names.js'
import {
  chainOf,
  decodeRecord,
  type EntryRecord,
  encodeRecord,
  filesOf,
  type SnapshotFile,
  snapshotBytes,
} from './record-file.js'

/** Most tries. Each further try means that another writer has succeeded in the meantime. */
const MOST_TRIES = 1000
/** Number of times to look for a record. A folder without one is being removed, or its removal was killed. */
const LOOKS_FOR_A_RECORD = 3
/** Most tries to create an entry: a folder that is in the way, but is not an entry, stays there. */
const MOST_CREATIONS = 20
/** Errors of `rename` and `rmdir` for a folder that is not empty or no longer exists. */
const IN_USE = ['ENOENT', 'ENOTEMPTY', 'EEXIST', ...(process.platform === 'win32' ? ['EPERM', 'EACCES'] : [])]

/** A write: the new content of the snapshot, and the fields of the record that the writer chooses. */
export interface Write {
  readonly content: Content
  /** Called when the snapshot is written, because the lease starts then. */
  readonly fields: () => Pick<EntryRecord, 'isDeleted' | 'record' | 'owner'>
}

export type Content =
  | { readonly kind: 'kept' }
  | { readonly kind: 'whole'; readonly bytes: Uint8Array }
  /** `bytes` is the delta, encoded by `encodeDelta`. */
  | { readonly kind: 'delta'; readonly delta: SnapshotDelta; readonly bytes: Uint8Array }

export class SessionFolder {
  constructor(
    readonly path: string,
    /** Undefined if the folder's name does not show it: then any id is accepted. */
    readonly id: string | undefined,
  ) {}

  /** @returns the current record, which may be that of a deletion; undefined if there is none */
  async current(): Promise<EntryRecord | undefined> {
    for (let looks = 0, tries = 0; tries < MOST_TRIES; tries += 1) {
      const files = await this.#files()
      if (files === undefined) return undefined
      const generation = currentOf(files)
      if (generation === undefined) {
        // Reading a folder is not atomic: it can miss both a new record and the old one that was removed for it.
        looks += 1
        if (looks === LOOKS_FOR_A_RECORD) return undefined
        continue
      }
      const path = join(this.path, recordName(generation))
      const bytes = await unless('ENOENT', () => readFile(path))
      if (bytes !== undefined) return this.#checked(path, bytes)
    }
    throw this.#busy()
  }

  /** The current record with its snapshot. */
  async read(): Promise<{ readonly entry: EntryRecord; readonly bytes: Uint8Array } | undefined> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const entry = await this.current()
      if (entry === undefined || entry.isDeleted) return undefined
      const bytes = await this.#readChain(entry)
      if (bytes) return { entry, bytes }
    }
    throw this.#busy()
  }

  /** @returns undefined if a later write has removed a part of it */
  async #readChain(entry: EntryRecord): Promise<Uint8Array | undefined> {
    const [whole, ...deltas] = filesOf(entry)
    if (whole === undefined) return new Uint8Array()
    const bytes = await this.#readPart(whole, entry)
    if (bytes === undefined) return undefined
    const chain: SnapshotDelta[] = []
    for (const file of deltas) {
      const part = await this.#readPart(file, entry)
      if (part === undefined) return undefined
      chain.push(await this.#decoded(file, () => decodeDelta(part)))
    }
    const last = deltas.at(-1)
    return last ? await this.#decoded(last, () => resolveChain(bytes, chain)) : bytes
  }

  /** @returns undefined if a later write has removed it */
  async #readPart(file: SnapshotFile, entry: EntryRecord): Promise<Uint8Array | undefined> {
    const path = join(this.path, basename(file.name))
    const found = await unless('ENOENT', () => readFileOf(path, file.sizeBytes))
    if (found === undefined) {
      if ((await this.current())?.generation !== entry.generation) return undefined
      throw this.#damaged(path, 'is missing')
    }
    const { bytes, isLonger, sha256 } = found
    if (isLonger || bytes.length !== file.sizeBytes || sha256 !== file.sha256)
      throw this.#damaged(path, 'is damaged')
    return bytes
  }

  async #decoded<T>(file: SnapshotFile, decode: () => Promise<T>): Promise<T> {
    try {
      return await decode()
    } catch (error) {
      if (!(error instanceof DeltaError)) throw error
      throw this.#damaged(join(this.path, basename(file.name)), `is damaged (${error.message})`)
    }
  }

  /**
   * Writes the generation after `generation`. Returns undefined if `generation` is not current, and `whole` if a delta does not fit the
   * stored snapshot.
   */
  async replace(generation: number, write: Write): Promise<EntryRecord | 'whole' | undefined> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const before = await this.current()
      if (before === undefined || before.isDeleted || before.generation !== generation) return undefined
      const { content } = write
      if (content.kind === 'delta') {
        const isItsBase = before.snapshot && snapshotBytes(before) === content.delta.baseBytes
        if (!isItsBase || !hasRoom(chainOf(before), content.bytes.length)) return 'whole'
      }
      const written = await this.#tryReplace(before, write)
      if (written === 'lost') return undefined
      if (written !== 'again') return written
    }
    throw this.#busy()
  }

  async #tryReplace(before: EntryRecord, { content, fields }: Write) {
    const nonce = newNonce()
    const next = before.generation + 1
    const draft = join(this.path, draftName(next, nonce))
    const name = content.kind === 'delta' ? deltaName(next, nonce) : snapshotName(next, nonce)
    const contentFile = join(this.path, name)
    let isLinked = false
    // ENOENT: the folder is missing, because the entry has just been deleted.
    const file = await unless('ENOENT', () => open(draft, 'wx', FILE_MODE))
    if (file === undefined) return 'again'
    try {
      try {
        if (!(await this.#isCurrent(before.generation))) return 'again'
        let { snapshot, deltas } = before
        if (content.kind !== 'kept') {
          const { bytes } = content
          const isWritten = bytes.length > 0
          const sha256 = isWritten ? await writeNewFile(contentFile, bytes) : ''
          const written = isWritten ? { name, sizeBytes: bytes.length, sha256 } : undefined
          if (content.kind === 'whole') {
            snapshot = written
            deltas = undefined
          } else if (written)
            deltas = [...(deltas ?? []), { ...written, snapshotBytes: content.delta.sizeBytes }]
        }
        const { id, createdAtMs } = before
        const updatedAtMs = Date.now()
        const record = { ...fields(), id, generation: next, createdAtMs, updatedAtMs, snapshot, deltas }
        await writeAndFlush(file, encodeRecord(record))
        // ENOENT: the draft came too late and was removed.
        const linked = await unless(['ENOENT', 'EEXIST'], async () => {
          await link(draft, join(this.path, recordName(next)))
          return true
        })
        if (!linked) return 'lost'
        isLinked = true
        await flushFolder(this.path)
        return record
      } finally {
        await file.close()
      }
    } catch (error) {
      // The folder was removed while the snapshot was being written.
      if (!isLinked && errnoOf(error) === 'ENOENT') return 'again'
      throw error
    } finally {
      await removeFile(draft)
      if (!isLinked) await removeFile(contentFile)
    }
  }

  /**
   * Creates the entry, unless there is one. `preparation` returns an unused path on the same file system.
   *
   * @returns undefined if there is an entry
   */
  async create(preparation: () => string, write: Write): Promise<EntryRecord | undefined> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const before = await this.current()
      if (before && !before.isDeleted) return undefined
      await this.clear(before)
      const prepared = preparation()
      try {
        const entry = await this.#prepare(prepared, before, write)
        // Windows cannot rename onto an existing folder, even an empty one.
        if (process.platform === 'win32') await unless(IN_USE, () => rmdir(this.path))
        await rename(prepared, this.path)
        await flushFolder(dirname(this.path))
        return entry
      } catch (error) {
        // Another process created the entry, which the next try finds, or a sweep took the prepared folder. Other obstacles stay.
        if (!IN_USE.includes(errnoOf(error)) || tries >= MOST_CREATIONS) throw error
      } finally {
        await removeFolder(prepared)
      }
    }
    throw this.#busy()
  }

  async #prepare(path: string, before: EntryRecord | undefined, { content, fields }: Write) {
    const bytes = content.kind === 'whole' ? content.bytes : undefined
    await mkdir(path, { mode: FOLDER_MODE })
    const createdAtMs = Date.now()
    // The time is above every generation of earlier entries, unless the clock was set back.
    const generation = Math.max(createdAtMs * 1000, (before?.generation ?? 0) + 1)
    const name = snapshotName(generation, newNonce())
    const snapshot = bytes?.length
      ? { name, sizeBytes: bytes.length, sha256: await writeNewFile(join(path, name), bytes) }
      : undefined
    const entry = {
      ...fields(),
      id: this.id ?? '',
      generation,
      createdAtMs,
      updatedAtMs: createdAtMs,
      snapshot,
    }
    await writeNewFile(join(path, recordName(generation)), encodeRecord(entry))
    await flushFolder(path)
    return entry
  }

  /** Removes the files before an entry that is known to be written. The header of this file explains the order. */
  async tidy(entry: EntryRecord): Promise<void> {
    const files = (await this.#files()) ?? []
    const named = new Set(filesOf(entry).map(({ name }) => name))
    const old = files.filter(({ name, generation }) => generation <= entry.generation && !named.has(name))
    for (const { name } of old.filter(({ kind }) => kind === 'draft')) await removeFile(join(this.path, name))
    const records = old.filter(({ kind, generation }) => kind === 'record' && generation < entry.generation)
    for (const { name } of records.sort((a, b) => a.generation - b.generation))
      await removeFile(join(this.path, name))
    for (const { name } of old.filter(({ kind }) => kind === 'snapshot' || kind === 'delta'))
      await removeFile(join(this.path, name))
  }

  /** Removes a folder whose entry was deleted, or that has none. The record of the deletion is removed last. */
  async clear(deleted: EntryRecord | undefined): Promise<void> {
    if (deleted === undefined) await this.#removeLeftovers()
    else {
      await this.tidy(deleted)
      // Without this, a loss of power could bring back an older record, but not this one.
      await unless('ENOENT', () => flushFolder(this.path))
      await removeFile(join(this.path, recordName(deleted.generation)))
    }
    await unless(IN_USE, () => rmdir(this.path))
  }

  /**
   * Removes files from a folder without a record. It looks twice: files of an entry that is created meanwhile cannot be in both looks
   * without their record.
   */
  async #removeLeftovers(): Promise<void> {
    const first = (await this.#files()) ?? []
    const second = first.length === 0 ? [] : ((await this.#files()) ?? [])
    if ([...first, ...second].some(({ kind }) => kind === 'record')) return
    const names = new Set(first.map(({ name }) => name))
    for (const { name } of second) if (names.has(name)) await removeFile(join(this.path, name))
  }

  async #isCurrent(generation: number): Promise<boolean> {
    const files = await this.#files()
    if (files === undefined || currentOf(files) !== generation) return false
    // Check after the listing: the removal of a deleted entry removes this record before the record of the deletion.
    return (await unless('ENOENT', () => lstat(join(this.path, recordName(generation))))) !== undefined
  }

  async #files(): Promise<FolderFile[] | undefined> {
    const names = await namesIn(this.path)
    return names?.flatMap((name) => parseFile(name) ?? [])
  }

  #checked(path: string, bytes: Buffer): EntryRecord {
    const entry = decodeRecord(bytes)
    if (!entry) throw this.#damaged(path, 'is damaged')
    if (this.id !== undefined && entry.id !== this.id)
      throw this.#damaged(path, `is of another session, ${JSON.stringify(entry.id)}`)
    return entry
  }

  #damaged(path: string, what: string): StoreError {
    const remedy = `Restore the folder ${this.path} from a backup, or remove it to discard the session.`
    return new StoreError(`${path} ${what}. ${remedy}`, { reason: 'damaged', sessionId: this.id })
  }

  #busy(): StoreError {
    const message = `${this.path} changed ${MOST_TRIES} times while it was read; try again when fewer processes write to it`
    return new StoreError(message, { sessionId: this.id })
  }
}

/** Removes a folder of files. */
export async function removeFolder(path: string): Promise<void> {
  const names = await namesIn(path)
  if (names === undefined) return
  for (const name of names) await removeFile(join(path, name))
  await unless(IN_USE, () => rmdir(path))
}

function currentOf(files: readonly FolderFile[]): number | undefined {
  const generations = files.flatMap(({ kind, generation }) => (kind === 'record' ? generation : []))
  return generations.length === 0 ? undefined : Math.max(...generations)
}
