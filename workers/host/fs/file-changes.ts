// Records what an execution does to a session's private files: which were created, changed or removed since it began. Owns that record. A
// file is noted the first time it is touched; only a directory that is renamed has to be walked.
import type { ChangedFile, FileChanges } from '../../../src/shared/messages/slot.js'
import type { Inode } from './inode.js'
import { sizeOf } from './inode.js'
import type { Inodes } from './inodes.js'
import type { NodeId } from './node-store.js'

/** Most files in the list of one execution. The main thread reads the list (H1). */
const MAX_FILES = 1000
const MAX_PATH_BYTES = 262_144
/** Files beyond this number are counted, but not named. */
const MAX_NOTED = 10_000
/**
 * Files with longer paths are counted only, too. Code can make such paths by entering one directory after another, but the main thread
 * accepts none.
 */
const MAX_PATH_LENGTH = 4096
/** Most bytes of all paths that are remembered or listed. Files beyond that are counted only. */
const MAX_NOTED_BYTES = 4 * 1024 * 1024
/** Stands for a path that is too long. */
const TOO_LONG = ''

export class FileChangeLog {
  readonly #nodes: Inodes
  /** Files that were touched, with the path that each had before; undefined for a file that did not exist. */
  readonly #before = new Map<NodeId, string | undefined>()
  /** Total length of the paths in `#before`. */
  #notedBytes = 0
  /** How many touched files are not noted. */
  #more = 0

  constructor(nodes: Inodes) {
    this.#nodes = nodes
  }

  /** An execution begins. */
  begin(): void {
    this.#more = 0
    this.#notedBytes = 0
    if (this.#before.size > 0) this.#before.clear()
  }

  /** Notes a node that is about to move or be removed, or that has changed in another way. */
  note(inode: Inode): void {
    if (inode.kind !== 'file' && inode.kind !== 'symlink') return
    if (this.#before.has(inode.id)) return
    if (this.#before.size >= MAX_NOTED || this.#notedBytes > MAX_NOTED_BYTES) {
      this.#more += 1
      return
    }
    const path = this.#pathOf(inode)
    this.#notedBytes += path?.length ?? 0
    this.#before.set(inode.id, path)
  }

  /** Notes everything in a directory that is about to move. */
  noteTree(top: Inode): void {
    const todo: Inode[] = [top]
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      if (next.kind !== 'directory') {
        this.note(next)
        continue
      }
      for (const { node } of next.entries.values()) {
        const inode = this.#nodes.get(node)
        if (inode !== undefined) todo.push(inode)
      }
    }
  }

  /** Changes since `begin`; undefined if there are none. */
  get changes(): FileChanges | undefined {
    if (this.#before.size === 0) return undefined
    const was = new Set<string>()
    const is = new Map<string, Inode>()
    let more = this.#more
    let listedBytes = 0
    for (const [id, path] of this.#before) {
      if (path !== undefined && path !== TOO_LONG) was.add(path)
      const inode = this.#nodes.get(id)
      const now = inode && (listedBytes > MAX_NOTED_BYTES ? TOO_LONG : this.#pathOf(inode))
      if (path === TOO_LONG || now === TOO_LONG) more += 1
      if (inode === undefined || now === undefined || now === TOO_LONG) continue
      listedBytes += now.length
      is.set(now, inode)
    }
    const found: ChangedFile[] = []
    for (const [path, inode] of is) {
      const change = was.has(path) ? 'changed' : 'created'
      found.push({ path, change, sizeBytes: sizeOf(inode) })
    }
    for (const path of was) if (!is.has(path)) found.push({ path, change: 'removed', sizeBytes: 0 })
    return found.length === 0 && more === 0 ? undefined : this.#cut(found, more)
  }

  #cut(found: ChangedFile[], more: number): FileChanges {
    found.sort((a, b) => (a.path < b.path ? -1 : 1))
    const files: ChangedFile[] = []
    let pathBytes = 0
    for (const file of found) {
      pathBytes += file.path.length
      if (files.length === MAX_FILES || pathBytes > MAX_PATH_BYTES) break
      files.push({ ...file, path: Buffer.from(file.path, 'latin1').toString('utf8') })
    }
    return { files, more: found.length - files.length + more }
  }

  /** The path as a byte string, or `TOO_LONG`; undefined if the node is in no directory. */
  #pathOf(inode: Inode): string | undefined {
    const names: string[] = []
    let length = 0
    // The root is its own parent.
    for (
      let at: Inode | undefined = inode;
      at !== undefined && at.parent !== at.id;
      at = this.#nodes.get(at.parent)
    ) {
      if (!at.linked) return undefined
      length += at.name.length + 1
      if (length > MAX_PATH_LENGTH) return TOO_LONG
      names.push(at.name)
    }
    return `/${names.reverse().join('/')}`
  }
}
