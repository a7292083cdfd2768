// Options of a session's calls, and their resolved form.
import { InvalidOptionError } from '../shared/errors.js'
import type { Trust } from '../shared/snapshot/signature.js'
import { Snapshot } from '../shared/snapshot/snapshot.js'
import { isBoolean, isFunction, isRecord, isSignal, known } from './check.js'
import { resolveTimeoutMs } from './limits.js'

/**
 * Called with text as it is written, in order; chunks may end anywhere. If the listener throws, the execution rejects once it has ended.
 * The execution does not wait for an async listener. If its promise rejects before the execution ends, the execution rejects; if it
 * rejects later, a process warning (`BRUMATE_LISTENER`) is emitted.
 */
export type OutputListener = (chunk: string) => unknown

/** Called with each display when it is shown, the last expression's at the end; see `OutputListener` for errors. */
export type DisplayListener = (display: Readonly<Record<string, string | Uint8Array>>) => unknown

export interface RestoreOptions {
  /** If the snapshot's image is not available, restore only the globals that it stores as plain values. Default false. */
  readonly salvage?: boolean
}

/** Answers to all or some of the pending host calls, by id. */
export interface ResumeOptions extends ExecuteOptions {
  /** Values that the calls return. */
  readonly results?: Readonly<Record<string, unknown>>
  /** Errors that the calls raise, as if their callbacks had thrown them. */
  readonly errors?: Readonly<Record<string, unknown>>
}

export interface ExecuteOptions {
  /** Longest run of this execution in ms; default: the session's `executionTimeoutMs`. `null`: no bound. */
  readonly timeoutMs?: number | null
  /** Aborting takes a queued execution out of the queue and interrupts a running one. */
  readonly signal?: AbortSignal
  readonly onStdout?: OutputListener
  readonly onStderr?: OutputListener
  readonly onDisplay?: DisplayListener
}

export interface ResolvedExecuteOptions {
  readonly timeoutMs: number | null
  readonly signal: AbortSignal | undefined
  readonly onStdout: OutputListener | undefined
  readonly onStderr: OutputListener | undefined
  readonly onDisplay: DisplayListener | undefined
}

/**
 * With a key, the signature of bytes is checked before anything else of them is read.
 *
 * @throws SnapshotError when the bytes are no valid snapshot, or not one that the session may restore
 */
export function requireSnapshot(
  name: string,
  value: Snapshot | Uint8Array,
  trust: Trust | undefined,
): Snapshot {
  if (value instanceof Snapshot) return value
  if (value instanceof Uint8Array) return Snapshot.read(value, trust)
  throw new InvalidOptionError(name, 'a Snapshot or the bytes of one', value)
}

/** @throws InvalidOptionError */
export function resolveResumeOptions(options: ResumeOptions | undefined, defaultTimeoutMs: number | null) {
  const given = options === undefined ? {} : options
  known('options', given, ['results', 'errors', 'timeoutMs', 'signal', 'onStdout', 'onStderr', 'onDisplay'])
  const { results = {}, errors = {}, ...rest } = given
  return {
    results: isRecord('results', results),
    errors: isRecord('errors', errors),
    execute: resolveExecuteOptions(rest, defaultTimeoutMs),
  }
}

/** Returns `salvage`. */
export function resolveRestoreOptions(options: RestoreOptions | undefined): boolean {
  const given = options === undefined ? {} : options
  known('options', given, ['salvage'])
  return isBoolean('salvage', given.salvage) ?? false
}

export function resolveExecuteOptions(
  options: ExecuteOptions | undefined,
  defaultTimeoutMs: number | null,
): ResolvedExecuteOptions {
  const given = options === undefined ? {} : options
  known('options', given, ['timeoutMs', 'signal', 'onStdout', 'onStderr', 'onDisplay'])
  return {
    timeoutMs: resolveTimeoutMs('timeoutMs', given.timeoutMs, defaultTimeoutMs),
    signal: isSignal('signal', given.signal),
    onStdout: isFunction('onStdout', given.onStdout),
    onStderr: isFunction('onStderr', given.onStderr),
    onDisplay: isFunction('onDisplay', given.onDisplay),
  }
}
