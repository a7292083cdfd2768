// What a backend of deepagents answers with (its BackendProtocolV2, deepagents 1.x). Owns the types; they are those of deepagents, so that its
// package is not needed to compile a program without it.

export interface FileInfo {
  /** Absolute within the storage; of a directory with `/` at its end. */
  path: string
  is_dir: boolean
  size: number
  /** ISO 8601. */
  modified_at: string
}

export interface GrepMatch {
  path: string
  /** From 1. */
  line: number
  text: string
}

export interface FileData {
  /** Text, or bytes that are not UTF-8. */
  content: string | Uint8Array
  mimeType: string
  created_at: string
  modified_at: string
}

/** Part of a text; `nextOffset` is there if more lines follow. Of other files, all bytes. */
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
