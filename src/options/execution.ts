// Options of a session's calls, and their resolved form.

import type { Display } from '../shared/display.js'
import { InvalidOptionError } from '../shared/errors.js'
import { isBoolean, isFunction, isRecord, isSignal, known } from './check.js'
import { resolveTimeoutMs } from './limits.js'

/**
 * Called with text as it is written, in order. A chunk ends where a line ends, if the line ends soon; a line that is not finished after
 * 20 ms, or when the execution waits, comes in parts. If the listener throws, or the promise of an async one rejects, the execution
 * rejects once it has ended. `execute` waits for the promises of its listeners, up to `limits.callbackTimeoutMs`; the session does not, so
 * its next call starts meanwhile. What rejects later, or after the execution has failed, is a process warning (`BRUMATE_LISTENER`).
 */
export type OutputListener = (chunk: string) => unknown

/** Part of an execution's output. */
export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

/** As `OutputListener`, for both streams, in the order in which they were written. */
export type AllOutputListener = (chunk: OutputChunk) => unknown

/** Called with each display when it is shown, the last expression's at the end; see `OutputListener` for errors. */
export type DisplayListener = (display: Display) => unknown

const LONGEST_KEY = 256

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
  /**
   * Names the call, in 1 to 256 characters. If one of the session's last 16 calls with a key had the same one, its code does not run again:
   * the call settles as that one did, whatever its code. The session's record keeps these outcomes, so this also holds in another process.
   * Listeners are not called again. Needs a session with an id, and `durability: 'checkpoint'`.
   */
  readonly idempotencyKey?: string | undefined
  /** Longest run of this execution in ms; default: the session's `executionTimeoutMs`. `null`: no bound. */
  readonly timeoutMs?: number | null
  /** Aborting takes a queued execution out of the queue and interrupts a running one. */
  readonly signal?: AbortSignal | undefined
  readonly onStdout?: OutputListener
  readonly onStderr?: OutputListener
  readonly onOutput?: AllOutputListener
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
  throw new InvalidOptionError(name, `a text of 1 to ${LONGEST_KEY} characters`, value)
}
