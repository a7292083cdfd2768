// Options of a session's calls, and their resolved form.
import { InvalidOptionError } from '../shared/errors.js'
import type { Trust } from '../shared/snapshot/signature.js'
import { Snapshot } from '../shared/snapshot/snapshot.js'
import { isBoolean, isFunction, isRecord, isSignal, known } from './check.js'
import { resolveTimeoutMs } from './limits.js'

/**
 * Gets text as it is written, in order; chunks end anywhere. What it throws rejects the execution once that ends. An execution does not
 * wait for what an async listener returns: a rejection that comes before the execution ends rejects it, a later one is a warning of the
 * process (`BRUMATE_LISTENER`).
 */
export type OutputListener = (chunk: string) => unknown

export interface RestoreOptions {
  /** Take the plain values of the globals where the memory cannot be restored, for want of its image. Default false. */
  readonly salvage?: boolean
}

/** Answers of pending host calls, by their id; all or some. */
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
}

export interface ResolvedExecuteOptions {
  readonly timeoutMs: number | null
  readonly signal: AbortSignal | undefined
  readonly onStdout: OutputListener | undefined
  readonly onStderr: OutputListener | undefined
}

/**
 * With a key, bytes that were not signed with it are refused before anything else is read of them.
 *
 * @throws SnapshotError when they are bytes, but not of a snapshot that may be taken
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
  known('options', given, ['results', 'errors', 'timeoutMs', 'signal', 'onStdout', 'onStderr'])
  const { results = {}, errors = {}, ...rest } = given
  return {
    results: isRecord('results', results),
    errors: isRecord('errors', errors),
    execute: resolveExecuteOptions(rest, defaultTimeoutMs),
  }
}

/** Whether to salvage. */
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
  known('options', given, ['timeoutMs', 'signal', 'onStdout', 'onStderr'])
  return {
    timeoutMs: resolveTimeoutMs('timeoutMs', given.timeoutMs, defaultTimeoutMs),
    signal: isSignal('signal', given.signal),
    onStdout: isFunction('onStdout', given.onStdout),
    onStderr: isFunction('onStderr', given.onStderr),
  }
}
