// Size limits for the reply of a slot to an execution. The kernel enforces the same limits, so a larger reply was forged (R3).
import type { Limits } from '../options/limits.js'

/** Number of parts of a reply that may each have `limits.resultBytes`: three for a result, three for a failure. */
const REPLY_PARTS = 3
/** Limit for everything else: types, names, and frames of a traceback. */
const MAX_REPLY_HEAD_BYTES = 16 * 1024 * 1024

type ResultLimit = Pick<Limits, 'resultBytes'>

/** Checks a reply before it is decoded. It has at most repr, value and displays, or message and traceback. */
export function isReplyWithin({ resultBytes }: ResultLimit, payload: Uint8Array | null): boolean {
  if (resultBytes === null || payload === null) return true
  return payload.length <= REPLY_PARTS * resultBytes + MAX_REPLY_HEAD_BYTES
}

export function isResultWithin(
  { resultBytes }: ResultLimit,
  repr: string | undefined,
  displayBytes: number,
): boolean {
  return resultBytes === null || Math.max(repr?.length ?? 0, displayBytes) <= resultBytes
}
