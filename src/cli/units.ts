// Durations and sizes, on the command line and in the program's output. Owns their formats.
import { UsageError } from './command.js'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
const MAX_MS = 2 ** 31 - 1

/**
 * Parses a duration: `10` and `10s` are ten seconds; also `500ms`, `1.5m`, `2h`.
 *
 * @throws UsageError
 */
export function parseDurationMs(option: string, text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  const durationMs = Number(number) * (UNIT_MS[unit] ?? Number.NaN)
  if (durationMs >= 1 && durationMs <= MAX_MS) return durationMs
  throw new UsageError(`--${option} ${text}: expected seconds, or a number with ms, s, m or h, such as 500ms`)
}

/** Such as `0.4 ms`, `12 ms`, `3.2 s`. */
export function durationText(durationMs: number): string {
  if (durationMs < 10) return `${durationMs.toFixed(1)} ms`
  return durationMs < 1_000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1_000).toFixed(1)} s`
}

/** Such as `812 B`, `9.9 KB`, `29.0 MB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} KB`
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}
