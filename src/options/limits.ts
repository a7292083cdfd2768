// The limits of a session: owns the name, range and default of each.
import { known, numberOption } from './check.js'

/** Limits of one session. `null` removes a limit. */
export interface Limits {
  /** Time limit of one execution in ms, including its waits for host calls. Default 30,000. */
  executionTimeoutMs: number | null
  /** How long interrupted code may take to stop before its worker is terminated, in ms, 0 to 60,000. Default 250. */
  interruptGraceMs: number
  /**
   * Time limit of one host call in ms, from its arrival. After that, Python gets TimeoutError and the callback's signal aborts.
   * Default 10,000.
   */
  callbackTimeoutMs: number | null
  /** Maximum number of host calls of one execution. Further calls raise RuntimeError in Python. Default 1,000. */
  callbackInvocations: number | null
  /** Memory of the interpreter in bytes, at least 64 MiB. Beyond it, Python gets MemoryError. Default 256 MiB. */
  memoryBytes: number | null
  /** Output of one execution in bytes, for stdout and stderr separately. Beyond it, the execution ends with LimitError. Default 8 MiB. */
  outputBytes: number | null
  /**
   * Size in bytes of an execution's `repr`, of its `value`, and of all its displays together; the limit applies to each of the three. A
   * longer `repr` is truncated, with a mark. A larger value is left out: `value` is undefined and `lost` says so. Displays that do not fit
   * are left out, and stderr names them. Tracebacks and messages of errors are truncated like `repr`. Does not apply to `session.get`.
   * Default 8 MiB.
   */
  resultBytes: number | null
  /** Size of the session's private files in bytes. Beyond it, Python gets OSError ENOSPC. Default 64 MiB. */
  fileBytes: number | null
  /** Size of one compressed snapshot in bytes. Larger ones are not taken. Default 256 MiB. */
  snapshotBytes: number | null
}

type ByteLimit = 'memoryBytes' | 'outputBytes' | 'resultBytes' | 'fileBytes' | 'snapshotBytes'

const MiB = 1024 * 1024
/** The longest delay that setTimeout accepts; a longer one would fire at once. */
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

/** Validates an execution's time limit in ms; `null`: no limit. */
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
