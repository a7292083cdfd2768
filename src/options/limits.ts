// The bounds of a session: every limit, its range and its default.
import { known, numberOption } from './check.js'

/** Bounds of one session. `null` removes a bound. */
export interface Limits {
  /** Longest time of one execution in ms, including its waits for host calls. Default 30,000. */
  executionTimeoutMs: number | null
  /** How long interrupted code may take to stop before its worker is ended, in ms, 0 to 60,000. Default 250. */
  interruptGraceMs: number
  /**
   * Longest time of one host call in ms, from its arrival. After that Python gets TimeoutError and the callback's signal aborts.
   * Default 10,000.
   */
  callbackTimeoutMs: number | null
  /** Most host calls of one execution. A further one raises RuntimeError in Python. Default 1,000. */
  callbackInvocations: number | null
  /** Memory of the interpreter in bytes, at least 64 MiB. Beyond it Python gets MemoryError. Default 256 MiB. */
  memoryBytes: number | null
  /** Output of one execution in bytes, stdout and stderr each. Beyond it the execution ends with LimitError. Default 8 MiB. */
  outputBytes: number | null
  /**
   * Size of what an execution results in, in bytes: of `repr`, of `value`, and of all displays together, each. A longer `repr` is cut, with
   * a mark. A larger value is left out: `value` is undefined and `lost` says so. Displays that do not fit are left out, and stderr names
   * them. Tracebacks and messages of errors are cut likewise. Does not apply to `session.get`. Default 8 MiB.
   */
  resultBytes: number | null
  /** The session's private files in bytes. Beyond it Python gets OSError ENOSPC. Default 64 MiB. */
  fileBytes: number | null
  /** Size of one snapshot in bytes, compressed. Larger ones are not taken. Default 256 MiB. */
  snapshotBytes: number | null
}

type ByteLimit = 'memoryBytes' | 'outputBytes' | 'resultBytes' | 'fileBytes' | 'snapshotBytes'

const MiB = 1024 * 1024
/** setTimeout's own bound: a longer delay would fire at once. */
export const MAX_DELAY_MS = 2 ** 31 - 1

export const DEFAULT_LIMITS: Readonly<Limits> = {
  executionTimeoutMs: 30_000,
  interruptGraceMs: 250,
  callbackTimeoutMs: 10_000,
  callbackInvocations: 1000,
  memoryBytes: 256 * MiB,
  outputBytes: 8 * MiB,
  resultBytes: 8 * MiB,
  fileBytes: 64 * MiB,
  snapshotBytes: 256 * MiB,
}

const timeoutMs = numberOption({ min: 1, max: MAX_DELAY_MS, unit: 'milliseconds', nullable: true })

const invocations = numberOption({ min: 0, max: 1_000_000_000, integer: true, nullable: true })

const graceMs = numberOption({ min: 0, max: 60_000, unit: 'milliseconds' })

/** An execution's time limit in ms, or `null` for none. */
export function resolveTimeoutMs(
  name: string,
  value: number | null | undefined,
  fallback: number | null,
): number | null {
  return timeoutMs<number | null>(name, value, fallback)
}

export function resolveLimits(
  limits: Partial<Limits> | undefined,
  defaults: Readonly<Limits>,
): Readonly<Limits> {
  if (limits === undefined) return defaults
  const given = limits
  known('limits', given, Object.keys(DEFAULT_LIMITS))
  const bytes = (name: ByteLimit, min: number, max: number) =>
    numberOption({ min, max, unit: 'bytes', integer: true, nullable: true })<number | null>(
      `limits.${name}`,
      given[name],
      defaults[name],
    )
  return {
    executionTimeoutMs: resolveTimeoutMs(
      'limits.executionTimeoutMs',
      given.executionTimeoutMs,
      defaults.executionTimeoutMs,
    ),
    interruptGraceMs: graceMs('limits.interruptGraceMs', given.interruptGraceMs, defaults.interruptGraceMs),
    callbackTimeoutMs: resolveTimeoutMs(
      'limits.callbackTimeoutMs',
      given.callbackTimeoutMs,
      defaults.callbackTimeoutMs,
    ),
    callbackInvocations: invocations<number | null>(
      'limits.callbackInvocations',
      given.callbackInvocations,
      defaults.callbackInvocations,
    ),
    memoryBytes: bytes('memoryBytes', 64 * MiB, 4096 * MiB),
    outputBytes: bytes('outputBytes', 0, 2 ** 31),
    resultBytes: bytes('resultBytes', 0, 2 ** 31),
    fileBytes: bytes('fileBytes', 0, 2 ** 40),
    snapshotBytes: bytes('snapshotBytes', 64 * 1024, 2 ** 30),
  }
}
