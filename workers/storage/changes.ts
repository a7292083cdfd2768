// Wraps a store and reports what changes in it. Owns which operation causes which change, and reporting each change once. All calls are
// passed on to the store.
import type { Change } from '../../src/shared/messages/storage.js'
import { FsError } from '../host/errno.js'
import type { FileTime, NewNode, NodeId, NodeStore } from '../host/fs/node-store.js'

/** Most changes in one batch. Beyond that, `lost` is set. */
const MAX_CHANGES = 1024

export class ChangingNodes implements NodeStore {
  readonly #store: NodeStore
  readonly #changed: (node: NodeId) => void
  #watched = false
  /** Changes by "type path", so that a file that is written a thousand times is reported once. */
  readonly #changes = new Map<string, Change>()
  #lost = false

  /** @param changed called after each change with the node, or with 0 if several nodes have changed */
  constructor(store: NodeStore, changed: (node: NodeId) => void) {
    this.#store = store
    this.#changed = changed
  }

  watch(on: boolean): void {
    this.#watched = on
    this.#changes.clear()
    this.#lost = false
  }

  /** Takes the changes since the last call; undefined if there are none. */
  take(): { readonly changes: readonly Change[]; readonly lost: boolean } | undefined {
    if (this.#changes.size === 0 && !this.#lost) return undefined
    const taken = { changes: [...this.#changes.values()], lost: this.#lost }
    this.#changes.clear()
    this.#lost = false
    return taken
  }

  get id() {
    return this.#store.id
  }
  get root() {
    return this.#store.root
  }
  get readOnly() {
    return this.#store.readOnly
  }
  readonly paths = null

  status(node: NodeId) {
    return this.#store.status(node)
  }
  target(node: NodeId) {
    return this.#store.target(node)
  }
  parent(node: NodeId) {
    return this.#store.parent(node)
  }
  name(node: NodeId) {
    return this.#store.name(node)
  }
  lookup(directory: NodeId, name: string) {
    return this.#store.lookup(directory, name)
  }
  list(directory: NodeId, after: number, count: number) {
    return this.#store.list(directory, after, count)
  }
  nextCookie(directory: NodeId) {
    return this.#store.nextCookie(directory)
  }
  read(node: NodeId, position: number, into: Uint8Array, start: number, end: number) {
    return this.#store.read(node, position, into, start, end)
  }
  sync(node: NodeId) {
    this.#store.sync(node)
  }
  hold(node: NodeId) {
    this.#store.hold(node)
  }
  release(node: NodeId) {
    this.#store.release(node)
  }
  usage() {
    return this.#store.usage()
  }
  countBytes() {
    return this.#store.countBytes?.()
  }

  create(directory: NodeId, name: string, node: NewNode): NodeId {
    const made = this.#store.create(directory, name, node)
    this.#changed(0)
    this.#tell('created', made)
    return made
  }

  remove(directory: NodeId, name: string): void {
    const path = this.#watched ? this.#path(directory, name) : undefined
    this.#store.remove(directory, name)
    this.#changed(0)
    this.#add('removed', path)
  }

  move(fromDirectory: NodeId, fromName: string, toDirectory: NodeId, toName: string): void {
    const paths = this.#watched
      ? [this.#path(fromDirectory, fromName), this.#path(toDirectory, toName)]
      : undefined
    this.#store.move(fromDirectory, fromName, toDirectory, toName)
    this.#changed(0)
    this.#add('removed', paths?.[0])
    this.#add('created', paths?.[1])
  }

  /** Reports a node whose bytes were changed directly in the store. */
  changed(node: NodeId): void {
    this.#tell('changed', node)
  }

  write(node: NodeId, position: number, from: Uint8Array, start: number, end: number): number {
    const count = this.#store.write(node, position, from, start, end)
    this.#tell('changed', node)
    return count
  }

  append(node: NodeId, from: Uint8Array, start: number, end: number): number {
    const position = this.#store.append(node, from, start, end)
    this.#tell('changed', node)
    return position
  }

  resize(node: NodeId, size: number): void {
    this.#store.resize(node, size)
    this.#tell('changed', node)
  }

  setMode(node: NodeId, mode: number): void {
    this.#store.setMode(node, mode)
    this.#tell('changed', node)
  }

  setTimes(node: NodeId, accessed: FileTime | null, modified: FileTime | null): void {
    this.#store.setTimes(node, accessed, modified)
    this.#tell('changed', node)
  }

  #tell(type: Change['type'], node: NodeId): void {
    this.#changed(node)
    if (!this.#watched) return
    const parent = this.#store.parent(node)
    // Do not report a file that is no longer in a directory.
    if (parent !== 0) this.#add(type, this.#path(parent, this.#store.name(node)))
  }

  #add(type: Change['type'], path: string | undefined): void {
    if (path === undefined) return
    const key = `${type} ${path}`
    if (this.#changes.has(key)) return
    if (this.#changes.size >= MAX_CHANGES) this.#lost = true
    else this.#changes.set(key, { type, path })
  }

  #path(directory: NodeId, name: string): string | undefined {
    const names = [name]
    try {
      for (let at = directory; at !== this.#store.root; at = this.#store.parent(at)) {
        if (at === 0) return undefined
        names.push(this.#store.name(at))
      }
    } catch (error) {
      if (error instanceof FsError) return undefined
      throw error
    }
    return `/${names.reverse().join('/')}`
  }
}
