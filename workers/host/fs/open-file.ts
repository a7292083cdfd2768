// Open-file descriptions, which descriptors made by dup share, and the table from descriptor numbers to them. Owns flags, positions,
// counts and which numbers are free; file-io.ts reads and writes through them. Plain data with ids (I1).
import { O, OPEN_MAX } from '../abi.js'
import { fail } from '../errno.js'
import type { DeviceName, NodeId, NodeKind, NodeStore, Opened } from './node-store.js'
import type { PrivateNodes } from './private-nodes.js'
import type { Location } from './tree.js'

export interface OpenFile extends Location {
  readonly store: NodeStore
  readonly node: NodeId
  /** The node's kind, which never changes. Kept here so that reads and writes need not ask the store. */
  readonly kind: NodeKind
  readonly device: DeviceName | null
  /** O_* status flags; changed by F_SETFL. */
  flags: number
  /** In bytes. For a directory: the cookie after which its listing continues. */
  position: number
  /** Entries from this cookie on were added after the listing began and are not listed. 0: no listing has begun. */
  listEnd: number
  /** How many descriptors share it. */
  descriptors: number
}

export interface Descriptor {
  readonly file: OpenFile
  closeOnExec: boolean
}

/** Flags of open(2) that only affect opening and are not kept as status flags. */
export const NOT_KEPT = O.CREAT | O.EXCL | O.TRUNC | O.CLOEXEC

export class DescriptorTable {
  readonly #descriptors: (Descriptor | undefined)[] = []
  readonly #pipes: PrivateNodes

  constructor(pipes: PrivateNodes) {
    this.#pipes = pipes
  }

  /** @throws FsError EBADF if it is not open */
  get(fd: number): OpenFile {
    return this.descriptor(fd).file
  }

  /** Undefined if it is not open. */
  find(fd: number): OpenFile | undefined {
    return this.#descriptors[fd >>> 0]?.file
  }

  descriptor(fd: number): Descriptor {
    return this.#descriptors[fd >>> 0] ?? fail('EBADF')
  }

  /** Gives an opened node, which is already held, the lowest free descriptor. */
  open({ store, node, kind, device }: Location & Opened, flags: number): number {
    const fd = this.#lowestFree(0)
    const kept = flags & ~NOT_KEPT
    const file: OpenFile = { store, node, kind, device, flags: kept, position: 0, listEnd: 0, descriptors: 0 }
    this.adopt(fd, file, (flags & O.CLOEXEC) !== 0)
    return fd
  }

  /** Makes `fd`, which is free, a descriptor of `file`, whose node is held. */
  adopt(fd: number, file: OpenFile, closeOnExec: boolean): void {
    if (file.descriptors === 0 && file.kind === 'pipe') this.#countEnd(file.node, file.flags, 1)
    file.descriptors += 1
    this.#descriptors[fd] = { file, closeOnExec }
  }

  /** Open descriptors, in ascending order. */
  *entries(): Iterable<readonly [fd: number, descriptor: Descriptor]> {
    for (const [fd, descriptor] of this.#descriptors.entries()) if (descriptor) yield [fd, descriptor]
  }

  /** Makes the lowest free descriptor from `from` on share the open file of `fd`. */
  duplicate(fd: number, from: number, closeOnExec: boolean): number {
    const { file } = this.descriptor(fd)
    if (from < 0 || from >= OPEN_MAX) fail('EINVAL')
    const copy = this.#lowestFree(from)
    this.adopt(copy, file, closeOnExec)
    return copy
  }

  /** Makes `copy` share the open file of `fd`. Closes `copy` first if it is open. */
  replace(fd: number, copy: number, closeOnExec: boolean): number {
    const { file } = this.descriptor(fd)
    if (fd === copy) fail('EINVAL')
    if (copy < 0 || copy >= OPEN_MAX) fail('EBADF')
    file.descriptors += 1
    if (this.#descriptors[copy] !== undefined) this.close(copy)
    this.#descriptors[copy] = { file, closeOnExec }
    return copy
  }

  close(fd: number): void {
    const { file } = this.descriptor(fd)
    this.#descriptors[fd] = undefined
    file.descriptors -= 1
    file.store.paths?.closed(file.node)
    if (file.descriptors > 0) return
    if (file.kind === 'pipe') this.#countEnd(file.node, file.flags, -1)
    file.store.release(file.node)
  }

  /** Fails with EMFILE unless `count` more descriptors are free. */
  requireFree(count: number): void {
    let free = OPEN_MAX
    for (const descriptor of this.#descriptors) if (descriptor !== undefined) free -= 1
    if (free < count) fail('EMFILE')
  }

  #lowestFree(from: number): number {
    for (let fd = from; fd < OPEN_MAX; fd += 1) if (this.#descriptors[fd] === undefined) return fd
    return fail('EMFILE')
  }

  #countEnd(node: NodeId, flags: number, change: 1 | -1): void {
    const pipe = this.#pipes.pipe(node)
    if ((flags & O.ACCESS_MODE) === O.RDONLY) pipe.readers += change
    else pipe.writers += change
  }
}
