// All nodes of a store by id: its own, and those of its image, which are made on first use. Owns which of the image's nodes still exist
// and their initial state; the store owns what happens to a node afterwards.
import type { FileIndex } from '../../../src/shared/image/file-index.js'
import { imageContents } from './contents.js'
import { type Entry, type Inode, makeDevice, makeDirectory, makeFile, makeSymlink } from './inode.js'
import type { FileTime, NodeId } from './node-store.js'

/** Cookies 1 and 2 are "." and "..", which a directory does not store. */
export const FIRST_COOKIE = 3

/** All nodes of a store, and which of them a snapshot has to include. */
export interface NodeTable {
  readonly nodes: Inodes
  /** Nodes that differ from a fresh store of the image: new, changed, or removed nodes of the image. */
  readonly touched: Set<NodeId>
  /** Nodes with lower ids came with the image. */
  firstOwnId: NodeId
  nextId: NodeId
}

export class Inodes {
  readonly #image: FileIndex | undefined
  readonly #time: FileTime
  /** The store's own nodes, and those of the image that were used. */
  readonly #made = new Map<NodeId, Inode>()
  /** Nodes of the image that were removed. */
  readonly #gone = new Set<NodeId>()
  #size: number

  /** @param time - used for all time stamps of the image's nodes, so that slots are identical */
  constructor(image: FileIndex | undefined, time: FileTime) {
    this.#image = image
    this.#time = time
    this.#size = image?.count ?? 0
  }

  get size(): number {
    return this.#size
  }

  get(id: NodeId): Inode | undefined {
    const made = this.#made.get(id)
    if (made !== undefined || this.#image?.has(id) !== true || this.#gone.has(id)) return made
    const inode = this.#fromImage(this.#image, id)
    this.#made.set(id, inode)
    return inode
  }

  /** Adds a node that is not the image's. */
  add(inode: Inode): void {
    if (!this.#made.has(inode.id)) this.#size += 1
    this.#made.set(inode.id, inode)
  }

  delete(id: NodeId): void {
    if (this.get(id) === undefined) return
    this.#made.delete(id)
    this.#size -= 1
    if (this.#image?.has(id)) this.#gone.add(id)
  }

  #fromImage(image: FileIndex, id: NodeId): Inode {
    const node = image.node(id)
    const { mode, parent, name } = node
    const time = this.#time
    const times = { accessed: time, modified: time, changed: time }
    // The root is its own parent.
    const common = { id, mode, parent: parent || id, name, linked: true, holds: 0, ...times }
    switch (node.kind) {
      case 'file':
        return makeFile(common, imageContents(node.offset, node.length))
      case 'directory':
        return makeDirectory(common, entriesOf(image, id), FIRST_COOKIE + node.count)
      case 'symlink':
        return makeSymlink(common, node.target)
      case 'device':
        return makeDevice(common, node.device)
    }
  }
}

function entriesOf(image: FileIndex, directory: NodeId): Map<string, Entry> {
  const entries = new Map<string, Entry>()
  let cookie = FIRST_COOKIE
  for (const { name, node, kind } of image.entries(directory))
    entries.set(name, { node, kind, cookie: cookie++ })
  return entries
}
