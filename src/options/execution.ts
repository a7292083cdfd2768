// Options of a session's calls, and their resolved form with all defaults.

import type { Display } from '../shared/display.js'
import { InvalidOptionError } from '../shared/errors.js'
import { isBoolean, isFunction, isRecord, isSignal, known } from './check.js'
import { resolveTimeoutMs } from './limits.js'

/**
 * Called with output as it is written, in order. Chunks usually end at line breaks; a line that is not finished within 20 ms, or before the
 * execution waits, is delivered in parts. If the listener throws or its promise rejects, the execution rejects with that error once it has
 * ended. `execute` waits for the promises of its listeners, up to `limits.callbackTimeoutMs`; the session does not wait, so its next call
 * may start before they settle. A rejection after that, or after the execution has failed, becomes a process warning (`BRUMATE_LISTENER`).
 */
export type OutputListener = (chunk: string) => unknown

/** Part of an execution's output. */
export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

/** Like `OutputListener`, but for both streams, in the order in which they were written. */
export type AllOutputListener = (chunk: OutputChunk) => unknown

/** Called with each display when it is shown, and with the last expression's display at the end. Errors: see `OutputListener`. */
export type DisplayListener = (display: Display) => unknown

/** Limit in characters for an idempotency key. */
export const LONGEST_KEY = 256

/** Options of `session.restoreState`. */
export interface RestoreOptions {
  /** If the manager does not have the snapshot's image, restore only the globals that it stores as plain values. Default false. */
  readonly salvage?: boolean
}

/** Argument of `session.resume`: answers to all or some of the pending host calls, and options of the execution. */
export interface ResumeOptions extends ExecuteOptions {
  /** Values that the calls return, by call id. */
  readonly results?: Readonly<Record<string, unknown>>
  /** Errors that the calls raise, by call id, as if their callbacks had thrown them. */
  readonly errors?: Readonly<Record<string, unknown>>
}

/** Options of `session.execute`. */
export interface ExecuteOptions {
  /**
   * Identifies the call, with 1 to 256 characters, so that it can be retried safely. If one of the session's last 16 calls with a key had
   * the same key, the code does not run: the call settles as the earlier one did. If the earlier call had other code, or other answers in
   * `resume`, it rejects with an InvalidOptionError, and nothing runs; other options may differ. The session's record in the store keeps
   * these outcomes, so this also works in another process. Listeners are not called again. Needs a session with an id, and
   * `durability: 'checkpoint'`.
   */
  readonly idempotencyKey?: string | undefined
  /** Time limit of this execution in ms; `null`: no limit. Default: the session's `executionTimeoutMs`. */
  readonly timeoutMs?: number | null
  /** Aborting removes a queued execution from the queue, and interrupts a running one. */
  readonly signal?: AbortSignal | undefined
  /** Called with this execution's stdout as it is written. */
  readonly onStdout?: OutputListener
  /** Called with this execution's stderr as it is written. */
  readonly onStderr?: OutputListener
  /** Called with both streams, in the order in which they are written. */
  readonly onOutput?: AllOutputListener
  /** Called with this execution's displays as they are shown. */
  readonly onDisplay?: DisplayListener
}

export interface ResolvedExecuteOptions {
  readonly idempotencyKey: string | undefined
  readonly timeoutMs: number | null
  readonly signal: AbortSignal | undefined
  readonly onStdout: OutputListener | undefined
  readonly onStderr: OutputListener | undefined
  readonly onOutput: AllOutputListener | undefined
  readonly onDisplay: DisplayListener | undefined
}

const EXECUTE_OPTIONS = [
  'idempotencyKey',
  'timeoutMs',
  'signal',
  'onStdout',
  'onStderr',
  'onOutput',
  'onDisplay',
] as const

/** @throws InvalidOptionError */
export function resolveResumeOptions(options: ResumeOptions | undefined, defaultTimeoutMs: number | null) {
  const given = options === undefined ? {} : options
  known('options', given, ['results', 'errors', ...EXECUTE_OPTIONS])
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
  known('options', given, EXECUTE_OPTIONS)
  return {
    idempotencyKey: isKey('idempotencyKey', given.idempotencyKey),
    timeoutMs: resolveTimeoutMs('timeoutMs', given.timeoutMs, defaultTimeoutMs),
    signal: isSignal('signal', given.signal),
    onStdout: isFunction('onStdout', given.onStdout),
    onStderr: isFunction('onStderr', given.onStderr),
    onOutput: isFunction('onOutput', given.onOutput),
    onDisplay: isFunction('onDisplay', given.onDisplay),
  }
}

function isKey(name: string, value: unknown): string | undefined {
  const isValid =
    typeof value === 'string' && value !== '' && value.length <= LONGEST_KEY && value.isWellFormed()
  if (value === undefined || isValid) return value
  throw new InvalidOptionError(name, `a string of 1 to ${LONGEST_KEY} characters`, value)
}
