// The public API, and nothing else.
export type { ToolFormat } from './callbacks/callbacks.js'
export type { JsonSchema, StandardSchema } from './callbacks/schema.js'
export {
  BrumateError,
  CancelledError,
  ConversionError,
  ImageError,
  InterpreterCrashedError,
  InvalidOptionError,
  LimitError,
  type Outcome,
  PoolExhaustedError,
  PythonError,
  SessionClosedError,
  SessionSuspendedError,
  SnapshotError,
  StorageError,
  TimeoutError,
} from './errors.js'
export { type Distribution, type ManagerStats, SessionManager } from './manager.js'
export type { MemoryStats } from './memory/manager-memory.js'
export type { ExecuteOptions, OutputListener, RestoreOptions, ResumeOptions } from './options/execution.js'
export type { Limits } from './options/limits.js'
export type { ManagerOptions, SessionOptions } from './options.js'
export type { ExecuteResult } from './session/outcome.js'
export type { SessionUsage } from './session/usage.js'
export type { CallbackContext, CallbackDefinition, CallbackFn, Callbacks, Session } from './session.js'
export type { PoolStats } from './slots/pool.js'
export type { FileEntry, GlobalEntry, PendingCall, SnapshotManifest } from './snapshot/manifest.js'
export { Snapshot } from './snapshot/snapshot.js'
export type { Value } from './values/value.js'
export {
  type DirectoryOptions,
  type FileOptions,
  type StorageOptions,
  type StorageStatus,
  VfsStorage,
} from './vfs/storage.js'
export type { StorageChange } from './vfs/watch.js'
