// How E2B's SDK describes files, and what it accepts as their content (`filesystem/index.d.ts` of e2b 2.x). Owns these types, and the
// conversion from a storage's description of a file.
import { posix } from 'node:path'
import type { ReadableStream } from 'node:stream/web'
import type { StorageStatus } from '../vfs/storage.js'

/** Values of E2B's enum of the same name. */
export const FileType = { FILE: 'file', DIR: 'dir', SYMLINK: 'symlink' } as const
export type FileType = (typeof FileType)[keyof typeof FileType]

export interface WriteInfo {
  name: string
  type?: FileType
  path: string
}

export interface EntryInfo extends WriteInfo {
  size: number
  mode: number
  /** Such as `rwxr-xr-x`. */
  permissions: string
  owner: string
  group: string
  modifiedTime?: Date
}

export type FileData = string | ArrayBuffer | Blob | ReadableStream | globalThis.ReadableStream
export interface WriteEntry {
  path: string
  data: FileData
}

export interface FilesystemRequestOpts {
  signal?: AbortSignal
  /** Accepted for compatibility: there is no request. */
  requestTimeoutMs?: number
  /** Accepted for compatibility: a session has one user. */
  user?: string
}

const KINDS = { file: 'file', directory: 'dir', symlink: 'symlink' } as const
const MODE = 0o777

/** @param path absolute, as in Python */
export function entryOf(path: string, { kind, sizeBytes, mode, modifiedAt }: StorageStatus): EntryInfo {
  return {
    ...{ name: posix.basename(path), type: KINDS[kind], path, size: sizeBytes, mode: mode & MODE },
    permissions: [6, 3, 0]
      .map((shift) => 'rwx'.replace(/./g, (letter, i) => ((mode >> shift) & (4 >> i) ? letter : '-')))
      .join(''),
    ...{ owner: 'user', group: 'user', modifiedTime: modifiedAt },
  }
}
