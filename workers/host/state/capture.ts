// Captures a host's state: walks over what differs from a fresh host of the same image, so that a session that did nothing costs
// nothing (I1). Owns the walk; state.ts and node-state.ts own the format. Changes nothing.
import type { PackingRoom } from '../../memory/packing-room.js'
import type { FileSystem } from '../file-system.js'
import type { NodeId } from '../fs/node-store.js'
import type { OpenFile } from '../fs/open-file.js'
import { ContentsWriter } from './extents.js'
import { type ChangedFiles, changedFiles } from './manifest.js'
import { MountedWriter } from './mounted.js'
import { type NodeState, nodeState } from './node-state.js'
import type { DescriptorState, HostState, OpenFileState } from './state.js'

export interface HostCapture extends ChangedFiles {
  readonly state: HostState
  /** Concatenated, the bytes of the files and pipes in `state`. A copy that belongs to the receiver. */
  readonly contents: Uint8Array<ArrayBuffer>[]
}

/** Memory for a node's fields as a list. */
const NODE_STATE_BYTES = 320

/** @throws NoRoomError */
export function captureHost(
  fileSystem: FileSystem,
  clockMs: number,
  timeZone: string,
  room: PackingRoom,
): HostCapture {
  const { firstOwnId, nextId, touched } = fileSystem.nodes.table
  const { cwd, umask } = fileSystem.files
  room.take(touched.size * NODE_STATE_BYTES)
  const writer = new ContentsWriter()
  const mounted = new MountedWriter(fileSystem)
  const state: HostState = {
    clockMs,
    timeZone,
    umask,
    cwd: mounted.location(cwd, 'directory'),
    firstOwnId,
    nextId,
    ...captureNodes(fileSystem, writer),
    ...captureDescriptors(fileSystem, mounted),
    ...mounted.state,
  }
  return { state, contents: writer.finish(room), ...changedFiles(fileSystem) }
}

function captureNodes(
  { nodes: store }: FileSystem,
  writer: ContentsWriter,
): Pick<HostState, 'removed' | 'nodes'> {
  const { nodes: inodes, touched } = store.table
  const removed: NodeId[] = []
  const nodes: NodeState[] = []
  for (const id of [...touched].sort((a, b) => a - b)) {
    const inode = inodes.get(id)
    if (inode === undefined) {
      removed.push(id)
      continue
    }
    const extents = inode.kind === 'file' ? writer.addFile(inode.contents) : []
    if (inode.kind === 'pipe') writer.addBytes(inode.buffer.subarray(inode.start, inode.end))
    nodes.push(nodeState(inode, store.cookie(id), extents))
  }
  return { removed, nodes }
}

function captureDescriptors(
  { descriptors: table }: FileSystem,
  mounted: MountedWriter,
): Pick<HostState, 'openFiles' | 'descriptors'> {
  const openFiles: OpenFileState[] = []
  const descriptors: DescriptorState[] = []
  const places = new Map<OpenFile, number>()
  for (const [fd, { file, closeOnExec }] of table.entries()) {
    let place = places.get(file)
    if (place === undefined) {
      place = openFiles.length
      places.set(file, place)
      const [store, node] = mounted.location(file, file.kind)
      openFiles.push([store, node, file.flags, file.position, file.listEnd])
    }
    descriptors.push([fd, place, closeOnExec ? 1 : 0])
  }
  return { openFiles, descriptors }
}
