// Taking a session's state out of a slot, which goes on: what the slot is asked, how long that may last, and what came of it. What
// the snapshot is for, and what a failure means, is placement.ts's.
import type { Effort, RefusalReason } from '../shared/messages/slot.js'
import { trustOf } from '../shared/snapshot/signature.js'
import { Snapshot } from '../shared/snapshot/snapshot.js'
import type { Slot } from '../slots/slot.js'
import { Call } from './call.js'
import type { SessionContext } from './context.js'
import type { ResolvedSessionOptions } from './options.js'

/** Most of the globals' values that travel beside the memory of a snapshot that users may see. */
const VALUES_BYTES = 1024 * 1024
/** Longest that interrupted finalizers may take to stop, and a capture altogether; and what each byte of memory adds to both. */
const STOPPING_MS = 5_000
const MOST_MS = 60_000
const MS_PER_BYTE = 1 / 10_000

export interface Capturing {
  /** Longest that code of the user's may run before it. Null: the deadline is somebody else's. */
  readonly timeoutMs: number | null
  /** With `least` the globals are not described: nobody may see the snapshot. */
  readonly effort: Effort
  /** Of the state that the slot has when it is asked. */
  readonly executionCount: number
  /** Why host calls are suspended, by id: asked when it has been taken. */
  readonly reasons: () => Readonly<Record<string, string>>
}

export type Captured =
  | { readonly kind: 'done'; readonly snapshot: Snapshot }
  /** The session is as it was. */
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly message: string }
  /** The slot is of no use any more. */
  | { readonly kind: 'lost'; readonly reason: string }

/** @throws SnapshotError for a slot that gives what is not a snapshot; the session is as it was */
export async function capture(
  slot: Slot,
  { limits, tenant }: ResolvedSessionOptions,
  { image, snapshotKey }: Pick<SessionContext, 'image' | 'snapshotKey'>,
  { timeoutMs, effort, executionCount, reasons }: Capturing,
): Promise<Captured> {
  // Collecting garbage, comparing and packing take longer the more memory there is, and no session must be ended for that.
  const extraMs = Math.ceil(slot.memory.bytes * MS_PER_BYTE)
  const graceMs = Math.max(limits.interruptGraceMs, STOPPING_MS) + extraMs
  // Without a deadline of its own, it waits for an execution, which has one.
  const bounds =
    timeoutMs === null ? { timeoutMs, graceMs } : { timeoutMs, graceMs, mostMs: MOST_MS + extraMs }
  const valuesBytes = effort === 'least' ? 0 : VALUES_BYTES
  const request = { valuesBytes, maxBytes: limits.snapshotBytes, effort }
  const call = new Call(slot, bounds, (id) => slot.call('snapshot', [id, request]))
  const settled = await call.settled
  if (settled.kind === 'lost') return settled
  const { reply } = settled
  if (reply.kind === 'refused') return reply
  if (reply.kind !== 'captured')
    return { kind: 'lost', reason: 'its worker sent an invalid message: not the answer to a capture' }
  const { body, kind: _, returnedBytes, ...rest } = reply
  slot.memory.giveBack(returnedBytes)
  const { id: imageId, pyodideVersion, pythonVersion } = image
  const head = {
    imageId,
    pyodideVersion,
    pythonVersion,
    createdAtMs: Date.now(),
    executionCount,
    reasons: reasons(),
    ...rest,
  }
  return { kind: 'done', snapshot: Snapshot.capture(head, body, trustOf(snapshotKey, tenant)) }
}
