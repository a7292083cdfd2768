// Captures a session's state from its slot. Owns the request, its time limit and its result. captures.ts decides what the snapshot is used
// for, and what a failure means.
import type { Effort, RefusalReason } from '../shared/messages/slot.js'
import { BodyError, SnapshotBody } from '../shared/snapshot/body.js'
import { preparePacking } from '../shared/snapshot/pack.js'
import { trustOf } from '../shared/snapshot/signature.js'
import { MAX_SNAPSHOT_BYTES, Snapshot } from '../shared/snapshot/snapshot.js'
import type { Slot } from '../slots/slot.js'
import { Call } from './call.js'
import type { Base } from './checkpoint.js'
import type { SessionContext } from './context.js'
import type { ResolvedSessionOptions } from './options.js'

/** Limit in bytes for the plain values of globals that a snapshot for users stores in addition to the memory. */
const VALUES_BYTES = 1024 * 1024
/** Longest time for interrupted finalizers to stop, and for a whole capture. Both grow with the slot's memory, by `MS_PER_BYTE`. */
const STOPPING_MS = 5_000
const MOST_MS = 60_000
const MS_PER_BYTE = 1 / 10_000

export interface Capturing {
  /** Longest time that user code may run for the capture. */
  readonly timeoutMs: number
  /** Resolves at the end of a running execution that the capture may have to wait for, which has its own deadline. Never rejects. */
  readonly waitsFor?: Promise<void> | undefined
  /** With `least`, the snapshot does not describe the globals and must not be given to users. */
  readonly effort: Effort
  /** The execution count when the capture is requested. */
  readonly executionCount: number
  /** Identifies the capture in its slot, if another capture may build on it. */
  readonly number: number | null
  /** A capture of the same slot to build on. */
  readonly base: Base | undefined
  /** Why host calls are suspended, by id. Read after the capture. */
  readonly reasons: () => Readonly<Record<string, string>>
}

export type Captured =
  | { readonly kind: 'done'; readonly snapshot: Snapshot }
  /** The session is unchanged. */
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly message: string }
  /** The slot can no longer be used. */
  | { readonly kind: 'lost'; readonly reason: string }

/** @throws SnapshotError when the slot returns something that is not a snapshot; the session is then unchanged */
export async function capture(
  slot: Slot,
  { limits, tenant }: ResolvedSessionOptions,
  { image, snapshotKey }: Pick<SessionContext, 'image' | 'snapshotKey'>,
  { timeoutMs, waitsFor, effort, executionCount, number, base, reasons }: Capturing,
): Promise<Captured> {
  // Garbage collection, comparing and packing take longer with more memory. That must not end a session.
  const extraMs = Math.ceil(slot.memory.bytes * MS_PER_BYTE)
  const graceMs = Math.max(limits.interruptGraceMs, STOPPING_MS) + extraMs
  const bounds = { timeoutMs, graceMs, mostMs: MOST_MS + extraMs, mostSince: waitsFor }
  const valuesBytes = effort === 'least' ? 0 : VALUES_BYTES
  const request = { valuesBytes, maxBytes: limits.snapshotBytes, effort, number, base: base?.number ?? null }
  const call = new Call(slot, bounds, (id) => slot.call('snapshot', [id, request]))
  preparePacking()
  const settled = await call.settled
  if (settled.kind === 'lost') return settled
  const { reply } = settled
  if (reply.kind === 'refused') return reply
  if (reply.kind !== 'captured')
    return { kind: 'lost', reason: 'its worker sent an invalid message: not a reply to a capture request' }
  const { body: bytes, plan, kind: _, returnedBytes, ...rest } = reply
  slot.memory.giveBack(returnedBytes)
  const body = bodyOf(bytes, plan, base?.snapshot, limits.snapshotBytes)
  if (body === undefined)
    return {
      kind: 'lost',
      reason: 'its worker sent an invalid message: its blocks do not form a valid snapshot',
    }
  const { id: imageId, pyodideVersion, pythonVersion } = image
  const head = {
    imageId,
    pyodideVersion,
    pythonVersion,
    createdAtMs: Date.now(),
    executionCount,
    reasons: reasons(),
    ...rest,
    ...(effort === 'least' ? ({ described: false } as const) : {}),
  }
  return { kind: 'done', snapshot: Snapshot.capture(head, body, plan ? 3 : 2, trustOf(snapshotKey, tenant)) }
}

/** Returns undefined if the worker's blocks do not form a valid body. */
function bodyOf(
  bytes: Uint8Array,
  plan: Uint32Array | null,
  base: Snapshot | undefined,
  maxBytes: number | null,
): SnapshotBody | undefined {
  if (plan === null) return SnapshotBody.of(bytes)
  try {
    return SnapshotBody.planned(plan, bytes, base?.parts.body, maxBytes ?? MAX_SNAPSHOT_BYTES)
  } catch (error) {
    if (error instanceof BodyError) return undefined
    throw error
  }
}
