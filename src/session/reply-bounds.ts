// Bounds of what an execution's slot may reply. The kernel keeps to them, so a reply beyond them was forged (R3).
import type { Limits } from '../options/limits.js'

/** Parts of a reply that `limits.resultBytes` bounds, each: three of a result, three of a failure. */
const REPLY_PARTS = 3
/** Types, names, and frames of a traceback. */
const MAX_REPLY_HEAD_BYTES = 16 * 1024 * 1024

type ResultLimit = Pick<Limits, 'resultBytes'>

/** Before anything is decoded: a reply has at most repr, value and displays, or message and traceback. */
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
