// Restores a host's state: builds a complete new file system from untrusted data, beside the one in use, which it does not
// touch (N2). Owns the order of the steps, the state's own fields and its descriptors; restore-nodes.ts owns nodes.
import { O, OPEN_MAX } from '../abi.js'
import { FsError } from '../errno.js'
import type { FileSystem } from '../file-system.js'
import { NOT_KEPT, type OpenFile } from '../fs/open-file.js'
import { MAX_NODES } from '../fs/quota.js'
import type { MountedNodes } from '../mounts/mounted-nodes.js'
import { TimeZone } from '../time-zone.js'
import { corrupt } from './error.js'
import { ContentsReader } from './extents.js'
import { FieldReader, readFields, readList } from './field-reader.js'
import { MountedReader } from './mounted.js'
import { MAX_ID, readNode } from './node-state.js'
import { checkHeld, restoreNodes } from './restore-nodes.js'
import { HOST_STATE_FIELDS, MAX_CLOCK_MS, OTHER_STORES, PRIVATE_STORE } from './state.js'

/** Everything that a host swaps in. Only the host that made it may use it, and only once. */
export interface PreparedHost {
  readonly fileSystem: FileSystem
  readonly clockMs: number
  readonly timeZone: string
  readonly zone: TimeZone
}

const MAX_ZONE_NAME_BYTES = 100

/**
 * @param fileSystem a fresh one of the image, with its byte limit set; if this throws, it must not be used
 * @param storage - the storage that the session shares with others
 * @throws HostStateError
 */
export function restoreHost(
  fileSystem: FileSystem,
  state: unknown,
  contents: unknown,
  storage?: MountedNodes,
): PreparedHost {
  const { mounted, ...fields } = readFields(state, 'the state', HOST_STATE_FIELDS, ['mounted'])
  if (!(contents instanceof Uint8Array)) corrupt('the contents of files are not bytes')
  const scalars = new FieldReader(
    [fields.timeZone, fields.umask, fields.firstOwnId, fields.nextId],
    'the state',
    0,
  )
  const timeZone = scalars.bytes('timeZone', MAX_ZONE_NAME_BYTES)
  const umask = scalars.integer('umask', 0, 0o777)
  const firstOwnId = scalars.integer('firstOwnId', 1, MAX_ID)
  const nextId = scalars.integer('nextId', 1, MAX_ID)
  const clockMs = readClock(fields.clockMs)
  const zone = readZone(timeZone)
  const removed = readList(fields.removed, 'removed', MAX_NODES)
  const nodes = readList(fields.nodes, 'nodes', MAX_NODES)

  // Release what a fresh file system holds, because the state may not have it.
  fileSystem.files.moveTo(fileSystem.files.tree.root)
  for (const [fd] of [...fileSystem.descriptors.entries()]) fileSystem.descriptors.close(fd)
  const reader = new ContentsReader(contents)
  const ids = new FieldReader(removed, 'removed', 0)
  restoreNodes(
    fileSystem,
    {
      firstOwnId,
      nextId,
      removed: removed.map((_, index) => ids.integer(`entry ${index}`, 1, MAX_ID)),
      nodes: nodes.map(readNode),
    },
    reader,
  )
  reader.end()
  if (storage) mount(fileSystem, storage)
  const others = new MountedReader(fileSystem, mounted)
  restoreDirectory(fileSystem, new FieldReader(fields.cwd, 'cwd', 0), others)
  fileSystem.files.umask = umask
  restoreDescriptors(
    fileSystem,
    others,
    readList(fields.openFiles, 'openFiles', OPEN_MAX),
    readList(fields.descriptors, 'descriptors', OPEN_MAX),
  )
  others.end()
  checkHeld(fileSystem)
  return { fileSystem, clockMs, timeZone, zone }
}

function readClock(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= MAX_CLOCK_MS) return value
  return corrupt(`clockMs is out of range`)
}

function readZone(name: string): TimeZone {
  try {
    return new TimeZone(name)
  } catch {
    return corrupt(`there is no time zone ${JSON.stringify(name)}`)
  }
}

/** The snapshot may have something else at the mount's path, so a failure is a fault of the snapshot. */
function mount(fileSystem: FileSystem, storage: MountedNodes): void {
  try {
    fileSystem.mount(storage)
  } catch (error) {
    if (!(error instanceof FsError)) throw error
    corrupt('the storage cannot be mounted: there is a file or a link in its place')
  }
}

function restoreDirectory(fileSystem: FileSystem, fields: FieldReader, others: MountedReader): void {
  const store = fields.integer('store', PRIVATE_STORE, OTHER_STORES)
  const node = fields.integer('node', 1, MAX_ID)
  fields.end()
  if (store === OTHER_STORES) {
    const { location } = others.open(node, O.RDONLY, 'cwd')
    fileSystem.files.moveTo(location)
    // `open` and `moveTo` each hold it.
    return location.store.release(location.node)
  }
  if (fileSystem.nodes.table.nodes.get(node)?.kind !== 'directory') corrupt('cwd is not a directory')
  fileSystem.files.moveTo({ store: fileSystem.nodes, node })
}

function restoreDescriptors(
  fileSystem: FileSystem,
  others: MountedReader,
  openFiles: readonly unknown[],
  descriptors: readonly unknown[],
): void {
  const files = openFiles.map((value, index) => readOpenFile(fileSystem, others, value, index))
  let free = 0
  for (const [index, value] of descriptors.entries()) {
    const fields = new FieldReader(value, 'descriptor', index)
    const fd = fields.integer('fd', free, OPEN_MAX - 1)
    const openFile = fields.integer('openFile', 0, files.length - 1)
    const closeOnExec = fields.flag('closeOnExec')
    fields.end()
    free = fd + 1
    const file = files[openFile] ?? corrupt('there is no such open file')
    fileSystem.descriptors.adopt(fd, file, closeOnExec)
  }
  for (const file of files) if (file.descriptors === 0) corrupt('an open file has no descriptor')
}

function readOpenFile(
  fileSystem: FileSystem,
  others: MountedReader,
  value: unknown,
  index: number,
): OpenFile {
  const fields = new FieldReader(value, 'open file', index)
  const place = fields.integer('store', PRIVATE_STORE, OTHER_STORES)
  const node = fields.integer('node', 1, MAX_ID)
  // Keep bits that have no meaning here: open(2) accepts them too, and F_GETFL returns them.
  const flags = fields.integer('flags', -(2 ** 31), 2 ** 31 - 1)
  const position = fields.count('position')
  const listEnd = fields.integer('listEnd', 0, MAX_ID)
  fields.end()
  if (place === OTHER_STORES) {
    if ((flags & (NOT_KEPT | O.TMPFILE)) !== 0 || (flags & O.ACCESS_MODE) === O.ACCESS_MODE)
      corrupt(`open file ${index}: nothing can be open like this`)
    const { location, kind } = others.open(node, flags, `open file ${index}`)
    return { ...location, kind, device: null, flags, position, listEnd, descriptors: 0 }
  }
  const store = fileSystem.nodes
  const inode =
    fileSystem.nodes.table.nodes.get(node) ?? corrupt(`open file ${index}: there is no node ${node}`)
  const { kind, device } = store.status(node)
  const access = flags & O.ACCESS_MODE
  const isPossible =
    kind !== 'symlink' &&
    (flags & (NOT_KEPT | O.TMPFILE)) === 0 &&
    access !== O.ACCESS_MODE &&
    !(kind === 'directory' && access !== O.RDONLY) &&
    !(kind === 'pipe' && access === O.RDWR) &&
    (kind === 'file' || kind === 'directory' || position === 0) &&
    (inode.kind === 'directory' ? listEnd <= inode.nextCookie : listEnd === 0)
  if (!isPossible) corrupt(`open file ${index}: no ${kind} can be open like this`)
  store.hold(node)
  return { store, node, kind, device, flags, position, listEnd, descriptors: 0 }
}
