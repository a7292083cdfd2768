// The public API, and nothing else.
export type { ToolFormat } from './callbacks/callbacks.js'
export type { JsonSchema, StandardResult, StandardSchema } from './callbacks/schema.js'
export { Image, type PackageInfo } from './image.js'
export type { DrainOptions, DrainResult } from './manager/drain.js'
export type {
  SalvagedSession,
  SalvageFailure,
  SalvageOptions,
  SalvageProgress,
  SalvageResult,
  SkippedSession,
} from './manager/salvage-store.js'
export type { ManagerStats } from './manager/stats.js'
export type { SweepOptions, SweepResult } from './manager/sweep.js'
export { SessionManager } from './manager.js'
export type { MemoryStats } from './memory/manager-memory.js'
export type {
  AllOutputListener,
  DisplayListener,
  ExecuteOptions,
  OutputChunk,
  OutputListener,
  RestoreOptions,
  ResumeOptions,
} from './options/execution.js'
export type { Limits } from './options/limits.js'
export type {
  GetOrCreateOptions,
  ManagerOptions,
  OpenOptions,
  SessionOptions,
  TakeOverOptions,
  TypedSessionOptions,
} from './options.js'
export type { Lock, LockedPackage } from './packages/lock.js'
export type { ImageOptions, PackageOptions } from './packages/options.js'
export type { PackageProgress } from './packages/progress.js'
export { type NotStored, NotStoredError } from './session/not-stored-error.js'
export type { ExecuteResult } from './session/outcome.js'
export type { PythonSession, PythonSessionFiles, SnapshotBytes } from './session/python-session.js'
export type { SalvageLoss } from './session/salvage.js'
export type { SessionFiles } from './session/session-files.js'
export type { SessionUsage } from './session/usage.js'
export type {
  CallbackArguments,
  CallbackContext,
  CallbackDefinition,
  CallbackFn,
  Callbacks,
  InputContext,
  InputFn,
  Session,
  SessionImage,
  TypedCallbacks,
} from './session.js'
export type { Bytes } from './shared/bytes.js'
export type { Display } from './shared/display.js'
export {
  BrumateError,
  CancelledError,
  ConversionError,
  DeadlockError,
  ExecutionError,
  ImageError,
  InstallationError,
  InterpreterCrashedError,
  InvalidOptionError,
  LimitError,
  type Outcome,
  PackageError,
  PoolExhaustedError,
  PythonError,
  type PythonErrorFields,
  type PythonFrame,
  SessionClosedError,
  SessionMovedError,
  SessionOwnedError,
  SessionSuspendedError,
  SnapshotError,
  StorageError,
  type StorageErrorOptions,
  StoreError,
  type StoreErrorOptions,
  TimeoutError,
} from './shared/errors.js'
export type { ChangedFile } from './shared/messages/slot.js'
export type { FileEntry, GlobalEntry, PendingCall, SnapshotManifest } from './shared/snapshot/manifest.js'
export { Snapshot } from './shared/snapshot/snapshot.js'
export type { Column, DataFrame, Series } from './shared/values/tables.js'
export { type InputValue, NdArray, type TypedArray, type Value } from './shared/values/value.js'
export type { PoolStats } from './slots/pool-options.js'
export { DirectoryStore, type DirectoryStoreOptions } from './store/directory-store.js'
export type { ListFilter, SessionFilter } from './store/listing.js'
export { MemoryStore } from './store/memory-store.js'
export type { RetentionReason } from './store/retention.js'
export type {
  DeleteOptions,
  DeltaRange,
  ListOptions,
  PutOptions,
  SessionOwner,
  SnapshotDelta,
  SnapshotRecord,
  SnapshotStore,
  StoredPage,
  StoredSession,
  StoreEntry,
} from './store/store.js'
export type { CheckpointEvent, ManagerEvents, SessionEvent, SlotEvent } from './telemetry/events.js'
export type { Distribution } from './telemetry/histogram.js'
export type {
  Telemetry,
  TelemetryFacts,
  TelemetryFigures,
  TelemetryOperation,
  TelemetrySpan,
} from './telemetry/telemetry.js'
export type { ArchiveSource } from './vfs/archive.js'
export {
  type DirectoryOptions,
  type FileOptions,
  type StorageOptions,
  type StorageStatus,
  VfsStorage,
} from './vfs/storage.js'
export type { StorageChange } from './vfs/watch.js'
