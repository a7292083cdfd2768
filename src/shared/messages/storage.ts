// The types of all messages between the caller's thread and a storage thread. Owns no behaviour. Paths are byte strings, with one
// UTF-16 unit per byte, and absolute within the storage.

export type StorageKind =
  | { readonly kind: 'memory'; readonly maxBytes: number }
  | { readonly kind: 'directory'; readonly hostPath: string; readonly readOnly: boolean }

/** The `workerData` of the thread. */
export interface StorageBoot {
  readonly storage: StorageKind
  /** Only rung, after each message to the thread; see src/shared/messages/storage-door.ts. */
  readonly bell: SharedArrayBuffer
  /** Undefined if all bytes go through the doors. */
  readonly arena: SharedArrayBuffer | undefined
}

export interface FileStatus {
  readonly kind: 'file' | 'directory' | 'symlink'
  readonly sizeBytes: number
  readonly mode: number
  readonly modifiedMs: number
}

/** The host's requests to a storage, with their results. */
export interface StorageCalls {
  readFile(path: string): Uint8Array
  writeFile(path: string, bytes: Uint8Array): void
  list(path: string): string[]
  stat(path: string, follow: boolean): FileStatus
  remove(path: string, recursive: boolean): void
  rename(from: string, to: string): void
  mkdir(path: string, recursive: boolean): void
  readlink(path: string): string
  symlink(target: string, path: string): void
  setStatus(path: string, mode: number, modifiedMs: number): void
  usedBytes(): number
  /** Opens a node, which stays until `release`. */
  open(path: string, writes: boolean): { readonly node: number; readonly sizeBytes: number }
  readAt(node: number, position: number, length: number): Uint8Array
  writeAt(node: number, position: number, bytes: Uint8Array): void
  release(node: number): void
}

export type StorageMessage =
  | {
      readonly kind: 'call'
      readonly id: number
      readonly name: keyof StorageCalls
      readonly parameters: readonly unknown[]
    }
  | {
      readonly kind: 'attach'
      readonly id: number
      readonly door: SharedArrayBuffer
      /** Belongs to this door only. The host also rings it. */
      readonly bell: SharedArrayBuffer
    }
  | { readonly kind: 'detach'; readonly id: number }
  /** Starts or stops reporting changes. */
  | { readonly kind: 'watch'; readonly on: boolean }
  /** The last changes have arrived, so the next may be sent. */
  | { readonly kind: 'heard' }
  /** Ends the thread. */
  | { readonly kind: 'close' }

export interface Change {
  readonly type: 'created' | 'changed' | 'removed'
  readonly path: string
}

export type StorageAnswer =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly code: string; readonly path: string }
  /** `lost` means that some changes were dropped. The next batch is sent only after `heard`. */
  | { readonly kind: 'changes'; readonly changes: readonly Change[]; readonly lost: boolean }
