// The sub-path `brumate/client`. Owns what it exports.
export type { ToolFormat } from '../callbacks/callbacks.js'
export type { JsonSchema, StandardResult, StandardSchema } from '../callbacks/schema.js'
export type {
  AllOutputListener,
  DisplayListener,
  ExecuteOptions,
  OutputChunk,
  OutputListener,
  RestoreOptions,
  ResumeOptions,
} from '../options/execution.js'
export type { Limits } from '../options/limits.js'
export type { ExecuteResult } from '../session/outcome.js'
export type { PythonSession, PythonSessionFiles, SnapshotBytes } from '../session/python-session.js'
export type { SessionFiles } from '../session/session-files.js'
export type { Bytes } from '../shared/bytes.js'
export type { Display } from '../shared/display.js'
export {
  BrumateError,
  CancelledError,
  ConversionError,
  DeadlockError,
  ExecutionError,
  ImageError,
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
} from '../shared/errors.js'
export type { ChangedFile } from '../shared/messages/slot.js'
export type { PendingCall } from '../shared/snapshot/manifest.js'
export { type InputValue, NdArray, type TypedArray, type Value } from '../shared/values/value.js'
export type { FileOptions, StorageStatus } from '../vfs/storage.js'
export type {
  ClientCallbackContext,
  ClientCallbackDefinition,
  ClientCallbackFn,
  ClientCallbacks,
  ClientInputFn,
} from './callbacks.js'
export { BrumateClient, type ListedSession, type ListOptions } from './client.js'
export type { RemoteFiles } from './files.js'
export type {
  ClientOptions,
  LocalSessionOptions,
  RemoteCreateOptions,
  RemoteGetOrCreateOptions,
  RemoteOpenOptions,
} from './options.js'
export { ServerError, type ServerErrorFields } from './server-error.js'
export type { ForkOptions, RemoteSession } from './session.js'
