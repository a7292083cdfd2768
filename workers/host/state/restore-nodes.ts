// Applies the nodes of a captured file system to a fresh one of the same image. Owns the consistency checks: every node is in the tree
// exactly once or is held, a node uses no more of the image than its original did, and limits are kept.
import type { FileSystem } from '../file-system.js'
import { emptyContents } from '../fs/contents.js'
import {
  type DirectoryNode,
  type Entry,
  type Inode,
  makeDirectory,
  makeFile,
  makePipe,
  makeSymlink,
} from '../fs/inode.js'
import type { Inodes } from '../fs/inodes.js'
import type { FileTime, NodeId } from '../fs/node-store.js'
import { MAX_NODES } from '../fs/quota.js'
import { corrupt, HostStateError } from './error.js'
import type { ContentsReader } from './extents.js'
import type { NodeDetail, NodeRecord } from './node-state.js'

export interface NodeRecords {
  readonly firstOwnId: NodeId
  readonly nextId: NodeId
  readonly removed: readonly NodeId[]
  readonly nodes: readonly NodeRecord[]
}

/** `fileSystem` must be fresh, with nothing open. If this throws, its nodes must not be used. */
export function restoreNodes(fileSystem: FileSystem, records: NodeRecords, contents: ContentsReader): void {
  const { nodes: store } = fileSystem
  const { table } = store
  checkIds(fileSystem, records)
  checkLimits(fileSystem, records)
  // First detach every node that left its place, then attach every node to its new one, because names may have been swapped.
  const moved = records.nodes.filter((record) => isMoved(fileSystem, record))
  for (const id of records.removed) detach(table.nodes, id)
  for (const { id } of moved) if (id < table.firstOwnId) detach(table.nodes, id)
  const gone = records.removed.map((id) => discard(fileSystem, id))
  for (const record of records.nodes) {
    const inode =
      record.id < table.firstOwnId ? checkedImageNode(fileSystem, record) : makeNode(fileSystem, record)
    fillNode(fileSystem, inode, record, contents)
    table.touched.add(record.id)
  }
  attach(table.nodes, moved)
  table.nextId = records.nextId
  for (const inode of gone) requireEmpty(inode)
  checkTree(fileSystem, records)
  const latest = latestChange(records.nodes)
  if (latest !== undefined) store.startAfter(latest)
}

/** Checks that every node outside the tree is held, by a descriptor or as the working directory. */
export function checkHeld({ nodes: { table } }: FileSystem): void {
  for (const id of table.touched) {
    const inode = table.nodes.get(id)
    if (inode !== undefined && !inode.linked && inode.holds === 0) corrupt(`nothing leads to node ${id}`)
  }
}

function checkIds({ nodes: { root, table } }: FileSystem, records: NodeRecords): void {
  const { firstOwnId, nextId, removed, nodes } = records
  if (firstOwnId !== table.firstOwnId) corrupt('the state is of an image with other files')
  if (nextId < firstOwnId) corrupt('nextId is one of the image')
  let last: NodeId = root
  for (const id of removed) {
    if (id <= last || id >= firstOwnId) corrupt(`node ${id} cannot be removed`)
    last = id
  }
  last = 0
  for (const { id } of nodes) {
    if (id <= last || id >= nextId) corrupt(`there cannot be a node ${id}`)
    last = id
  }
}

function checkLimits({ nodes: { table }, quota }: FileSystem, { removed, nodes }: NodeRecords): void {
  const own = nodes.filter(({ id }) => id >= table.firstOwnId)
  if (table.nodes.size - removed.length + own.length > MAX_NODES) {
    throw new HostStateError('too-large', `more than ${MAX_NODES} files`)
  }
  if (quota.maxBytes === null) return
  let bytes = quota.usedBytes
  for (const id of removed) bytes -= chargeOfLink(table.nodes.get(id))
  for (const { id, detail } of nodes) {
    if (detail.kind !== 'symlink') bytes += chargeOf(detail)
    else if (id >= table.firstOwnId) bytes += detail.target.length
  }
  if (bytes > quota.maxBytes) {
    throw new HostStateError('too-large', `${bytes} bytes of files, the limit is ${quota.maxBytes}`)
  }
}

function chargeOf(detail: NodeDetail): number {
  if (detail.kind === 'file') return detail.charged ? detail.size : 0
  return detail.kind === 'pipe' ? detail.capacity : 0
}

/** What a link of the image counts. */
function chargeOfLink(inode: Inode | undefined): number {
  return inode?.kind === 'symlink' ? inode.target.length : 0
}

/** Removes a node of the image. Nodes below it must be removed or moved as well, which requireEmpty checks. */
function discard({ nodes: { table }, quota }: FileSystem, id: NodeId): Inode {
  const inode = table.nodes.get(id) ?? corrupt(`the image has no node ${id}`)
  quota.chargeTarget(-chargeOfLink(inode))
  quota.removeNode()
  table.nodes.delete(id)
  table.touched.add(id)
  return inode
}

/** Whether the node has to be attached or detached: its place differs from the image's, or it is new and in a directory. */
function isMoved({ nodes }: FileSystem, { id, parent, name, cookie }: NodeRecord): boolean {
  if (id === nodes.root) return false
  if (id >= nodes.table.firstOwnId) return parent !== 0
  const inode = nodes.table.nodes.get(id)
  return inode?.parent !== parent || inode.name !== name || nodes.cookie(id) !== cookie
}

function detach(nodes: Inodes, id: NodeId): void {
  const inode = nodes.get(id)
  const parent = inode && nodes.get(inode.parent)
  if (parent?.kind === 'directory') parent.entries.delete(inode?.name ?? '')
}

/** Returns a node of the image, after checking that its record does not change what the image fixes. */
function checkedImageNode({ nodes: { root, table } }: FileSystem, record: NodeRecord): Inode {
  const { id, detail, parent } = record
  const inode = table.nodes.get(id) ?? corrupt(`the image has no node ${id}`)
  const isPossible =
    inode.kind === detail.kind &&
    (id !== root || parent === 0) &&
    !(inode.kind === 'symlink' && detail.kind === 'symlink' && inode.target !== detail.target) &&
    !(inode.kind === 'directory' && detail.kind === 'directory' && detail.nextCookie < inode.nextCookie)
  if (!isPossible) corrupt(`node ${id} is not the image's`)
  return inode
}

function makeNode({ nodes: { table }, quota }: FileSystem, record: NodeRecord): Inode {
  const { id, parent, detail } = record
  if (detail.kind === 'pipe' && parent !== 0) corrupt(`node ${id}: a pipe in a directory`)
  const { mode, name, accessed, modified, changed } = record
  const common = { id, mode, parent, name, linked: false, holds: 0, accessed, modified, changed }
  const inode = ((): Inode => {
    switch (detail.kind) {
      case 'file':
        return makeFile(common, emptyContents())
      case 'directory':
        return makeDirectory(common, new Map(), detail.nextCookie)
      case 'symlink':
        if (detail.target === '') corrupt(`node ${id}: a link to nothing`)
        quota.chargeTarget(detail.target.length)
        return makeSymlink(common, detail.target)
      case 'pipe':
        return makePipe(common)
      case 'device':
        return corrupt(`node ${id}: a device that is not the image's`)
    }
  })()
  quota.addNode()
  table.nodes.add(inode)
  return inode
}

/** Sets everything that can change in the life of a node, except its entries. */
function fillNode(
  { nodes: { root }, quota }: FileSystem,
  inode: Inode,
  record: NodeRecord,
  contents: ContentsReader,
): void {
  const { detail } = record
  inode.mode = record.mode
  inode.accessed = record.accessed
  inode.modified = record.modified
  inode.changed = record.changed
  if (record.id !== root) {
    inode.parent = record.parent
    inode.name = record.name
    inode.linked = record.parent !== 0
  }
  if (detail.kind === 'file') quota.chargeFile(0, chargeOf(detail))
  else quota.charge(chargeOf(detail))
  if (inode.kind === 'directory' && detail.kind === 'directory') inode.nextCookie = detail.nextCookie
  if (inode.kind === 'pipe' && detail.kind === 'pipe') {
    inode.buffer = contents.take(detail.unread, detail.capacity)
    inode.end = detail.unread
  }
  if (inode.kind === 'file' && detail.kind === 'file') {
    const { contents: live } = inode
    const { size, imageBytes, charged, extents } = detail
    // An uncharged file must have all of the image's contents, or be empty.
    const isWhole = size === imageBytes && extents.length === 0 && (size === live.imageBytes || size === 0)
    if (imageBytes > live.imageBytes || (!charged && !isWhole)) corrupt(`node ${record.id}: no such contents`)
    live.size = size
    live.imageBytes = imageBytes
    inode.chargedBytes = charged ? size : 0
    contents.takeFile(live, extents)
  }
}

function attach(nodes: Inodes, moved: readonly NodeRecord[]): void {
  const directories = new Set<DirectoryNode>()
  for (const { id, parent, name, cookie } of moved) {
    if (parent === 0) continue
    const directory = nodes.get(parent)
    const inode = nodes.get(id)
    if (directory?.kind !== 'directory' || inode === undefined)
      return corrupt(`node ${id} is in no directory`)
    if (cookie >= directory.nextCookie) corrupt(`node ${id}: its cookie is not given out yet`)
    if (directory.entries.has(name)) corrupt(`node ${id}: the name is taken`)
    directory.entries.set(name, { node: id, kind: inode.kind, cookie })
    directories.add(directory)
  }
  for (const { entries } of directories) inOrder(entries)
}

/** Sorts entries by cookie, because listing uses the order of the map. */
function inOrder(entries: Map<string, Entry>): void {
  const sorted = [...entries].sort(([, a], [, b]) => a.cookie - b.cookie)
  entries.clear()
  let last = 0
  for (const [name, entry] of sorted) {
    if (entry.cookie === last) corrupt(`two entries have cookie ${last}`)
    last = entry.cookie
    entries.set(name, entry)
  }
}

/** Checks that a directory outside the tree is empty: what was in it must be removed or moved too. */
function requireEmpty(inode: Inode): void {
  if (inode.kind === 'directory' && inode.entries.size > 0)
    corrupt(`node ${inode.id} is gone, but not what is in it`)
}

/**
 * Checks that every linked node is below the root. Nodes of the image are, as long as the directories above them have not moved. So it is
 * enough to go up from every node of the records: that takes time proportional to the records, however many files the image has.
 */
function checkTree({ nodes: { root, table } }: FileSystem, { nodes }: NodeRecords): void {
  const below = new Set<NodeId>([root])
  for (const { id } of nodes) {
    const inode = table.nodes.get(id)
    if (inode === undefined) continue
    if (!inode.linked) {
      requireEmpty(inode)
      continue
    }
    const way = new Set<NodeId>()
    for (let at: Inode = inode; !below.has(at.id); ) {
      if (way.has(at.id)) corrupt(`node ${id} is below itself`)
      way.add(at.id)
      const parent: Inode = table.nodes.get(at.parent) ?? corrupt(`node ${at.id} is in no directory`)
      if (!parent.linked) corrupt(`node ${at.id} is in a directory that is not in the tree`)
      at = parent
    }
    for (const passed of way) below.add(passed)
  }
}

function latestChange(records: readonly NodeRecord[]): FileTime | undefined {
  let latest: FileTime | undefined
  for (const { changed } of records) {
    const { seconds, nanoseconds } = latest ?? changed
    if (changed.seconds > seconds || (changed.seconds === seconds && changed.nanoseconds >= nanoseconds)) {
      latest = changed
    }
  }
  return latest
}
