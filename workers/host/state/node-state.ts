// One node in a host's state: a list of common fields, then those of its kind. Owns writing and reading that format;
// restore-nodes.ts checks that nodes are consistent with each other and with the image.
import { MODE_BITS, NAME_MAX, PATH_MAX, PIPE_BYTES } from '../abi.js'
import type { Inode } from '../fs/inode.js'
import { FIRST_COOKIE } from '../fs/inodes.js'
import type { FileTime, NodeId } from '../fs/node-store.js'
import { MAX_FILE_BYTES } from '../fs/quota.js'
import { corrupt } from './error.js'
import { type Extents, MAX_EXTENT_NUMBERS, readExtents } from './extents.js'
import { FieldReader } from './field-reader.js'

/** Largest id or cookie in a state. They stay exact numbers, however many more a session makes. */
export const MAX_ID = 2 ** 48

export const KIND = { file: 0, directory: 1, symlink: 2, device: 3, pipe: 4 } as const

type Common = readonly [
  id: NodeId,
  kind: number,
  /** Permission bits. */
  mode: number,
  /** Directory that the node is in. 0: in none, because it is only held by descriptors or as the working directory, or is the root. */
  parent: NodeId,
  /** Name in that directory; '' if it is in none. */
  name: string,
  /** Position in that directory's order; 0 if it is in none. */
  cookie: number,
  /** Each time is whole seconds plus nanoseconds. */
  accessedSeconds: number,
  accessedNanoseconds: number,
  modifiedSeconds: number,
  modifiedNanoseconds: number,
  changedSeconds: number,
  changedNanoseconds: number,
]

export type NodeState =
  | readonly [
      ...Common,
      size: number,
      /** How many of the first bytes still come from the image where there is no extent; 0 for a file that is not the image's. */
      imageBytes: number,
      /** 1: its size counts against the limit; 0: its contents are the image's. */
      charged: number,
      extents: Extents,
    ]
  | readonly [...Common, nextCookie: number]
  | readonly [...Common, target: string]
  | Common
  | readonly [
      ...Common,
      /** Size of its buffer, which counts against the limit. */
      capacity: number,
      /** Bytes in `contents`: those that were written and not read yet. */
      unread: number,
    ]

/** A node state that was read. Its fields are in range; whether they are consistent is not checked yet. */
export interface NodeRecord {
  readonly id: NodeId
  readonly mode: number
  readonly parent: NodeId
  readonly name: string
  readonly cookie: number
  readonly accessed: FileTime
  readonly modified: FileTime
  readonly changed: FileTime
  readonly detail: NodeDetail
}

export type NodeDetail =
  | {
      readonly kind: 'file'
      readonly size: number
      readonly imageBytes: number
      readonly charged: boolean
      readonly extents: Extents
    }
  | { readonly kind: 'directory'; readonly nextCookie: number }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'device' }
  | { readonly kind: 'pipe'; readonly capacity: number; readonly unread: number }

/** Encodes a node. `cookie` and `extents` are parameters because the node itself does not have them. */
export function nodeState(inode: Inode, cookie: number, extents: Extents): NodeState {
  const { accessed, modified, changed } = inode
  const isPlaced = cookie !== 0
  const common: Common = [
    inode.id,
    KIND[inode.kind],
    inode.mode,
    isPlaced ? inode.parent : 0,
    isPlaced ? inode.name : '',
    cookie,
    accessed.seconds,
    accessed.nanoseconds,
    modified.seconds,
    modified.nanoseconds,
    changed.seconds,
    changed.nanoseconds,
  ]
  switch (inode.kind) {
    case 'file': {
      const { size, imageBytes } = inode.contents
      const charged = isCharged(inode) ? 1 : 0
      return [...common, size, imageBytes, charged, extents]
    }
    case 'directory':
      return [...common, inode.nextCookie]
    case 'symlink':
      return [...common, inode.target]
    case 'device':
      return common
    case 'pipe':
      return [...common, inode.buffer.length, inode.end - inode.start]
  }
}

/** A file of the image whose contents were touched counts with its whole size, even if the contents are unchanged in the end. */
function isCharged({ chargedBytes, contents }: Extract<Inode, { kind: 'file' }>): boolean {
  return chargedBytes > 0 || contents.size !== contents.imageBytes || contents.chunks.size > 0
}

export function readNode(value: unknown, index: number): NodeRecord {
  const fields = new FieldReader(value, 'node', index)
  const id = fields.integer('id', 1, MAX_ID)
  const kind = fields.integer('kind', 0, 4)
  const mode = fields.integer('mode', 0, MODE_BITS)
  const parent = fields.integer('parent', 0, MAX_ID)
  const name = fields.bytes('name', NAME_MAX)
  const cookie = fields.integer('cookie', 0, MAX_ID)
  if (parent === 0 ? name !== '' || cookie !== 0 : !isName(name) || cookie < FIRST_COOKIE) {
    corrupt(`node ${index}: no such place in a directory`)
  }
  const accessed = readTime(fields, 'accessed')
  const modified = readTime(fields, 'modified')
  const changed = readTime(fields, 'changed')
  const detail = readDetail(fields, kind, index)
  fields.end()
  return { id, mode, parent, name, cookie, accessed, modified, changed, detail }
}

function readDetail(fields: FieldReader, kind: number, index: number): NodeDetail {
  switch (kind) {
    case KIND.file: {
      const size = fields.integer('size', 0, MAX_FILE_BYTES)
      const imageBytes = fields.integer('imageBytes', 0, size)
      const charged = fields.flag('charged')
      const extents = readExtents(fields.list('extents', MAX_EXTENT_NUMBERS), { size, imageBytes }, index)
      return { kind: 'file', size, imageBytes, charged, extents }
    }
    case KIND.directory:
      return { kind: 'directory', nextCookie: fields.integer('nextCookie', FIRST_COOKIE, MAX_ID) }
    case KIND.symlink:
      return { kind: 'symlink', target: fields.bytes('target', PATH_MAX - 1) }
    case KIND.device:
      return { kind: 'device' }
    default: {
      const capacity = fields.integer('capacity', 0, PIPE_BYTES)
      return { kind: 'pipe', capacity, unread: fields.integer('unread', 0, capacity) }
    }
  }
}

/** utimensat takes 64 bits of seconds, of which a JavaScript number keeps about the upper 53. */
function readTime(fields: FieldReader, name: string): FileTime {
  const seconds = fields.integer(name, -(2 ** 63), 2 ** 63)
  return { seconds, nanoseconds: fields.integer(name, 0, 999_999_999) }
}

function isName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/')
}
