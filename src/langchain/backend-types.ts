// The answers of a deepagents backend (BackendProtocolV2, deepagents 1.x). Owns the types. They copy those of deepagents, so that a program
// without that package still compiles.

export interface FileInfo {
  /** Absolute path in the storage. That of a directory ends with `/`. */
  path: string
  is_dir: boolean
  size: number
  /** ISO 8601. */
  modified_at: string
}

export interface GrepMatch {
  path: string
  /** Counted from 1. */
  line: number
  text: string
}

export interface FileData {
  /** Text, or the bytes if they are not UTF-8. */
  content: string | Uint8Array
  mimeType: string
  created_at: string
  modified_at: string
}

/** Part of a text, with `nextOffset` if more lines follow; for other files, all bytes. */
export interface ReadContent {
  content: string | Uint8Array
  mimeType: string
  totalLines?: number
  startLine?: number
  endLine?: number
  nextOffset?: number
}

export interface Failure {
  error: string
}

export type FileOperationError = 'file_not_found' | 'permission_denied' | 'is_directory' | 'invalid_path'
