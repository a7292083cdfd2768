// Loads a session into a slot. Owns the request, its time limit and its result, and the mount's connection until the slot has it.
// placement.ts decides where the session is, and what a failure means.

import type { AttachRequest, RefusalReason, SlotReply } from '../shared/messages/slot.js'
import { isRangeError } from '../shared/realms.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import { encodePlain } from '../shared/values/encode.js'
import type { Slot } from '../slots/slot.js'
import { Call } from './call.js'
import type { ResolvedSessionOptions } from './options.js'
import { isSuccess } from './outcome.js'

/** Time limit of an attach, which may run user code. Each byte of the snapshot adds `ATTACH_MS_PER_BYTE`. */
const ATTACH_MS = 10_000
const ATTACH_MS_PER_BYTE = 1 / 50_000

export interface Incoming {
  /** Undefined: a fresh session. */
  readonly snapshot: Snapshot | undefined
  /** Identifies the snapshot in the slot, if the next capture may build on it. */
  readonly number: number | null
  /** The callbacks as plain data for the kernel. */
  readonly callbacks: readonly unknown[]
  /** Whether the host calls of the snapshot's state are in flight in this process. */
  readonly continues: boolean
  readonly credit: Pick<AttachRequest, 'releasedBytes' | 'heldBytes'>
}

export type Taken =
  | { readonly kind: 'done' }
  /** The snapshot was rejected; the slot is unchanged. */
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly message: string }
  /** The slot can no longer be used. `late`: because loading took too long. */
  | { readonly kind: 'lost' | 'late'; readonly reason: string }

export async function takeOver(
  slot: Slot,
  options: ResolvedSessionOptions,
  incoming: Incoming,
): Promise<Taken> {
  const timeoutMs = ATTACH_MS + (incoming.snapshot?.parts.head.rawBytes ?? 0) * ATTACH_MS_PER_BYTE
  const call = new Call(slot, { timeoutMs, graceMs: 0 }, () => prepare(slot, options, incoming))
  const settled = await call.settled
  if (settled.kind === 'lost' && settled.stop)
    return { kind: 'late', reason: `loading the session took longer than ${Math.round(timeoutMs)} ms` }
  if (settled.kind === 'lost') return settled
  const { reply } = settled
  if (reply.kind === 'refused') return reply
  return isDone(reply)
    ? { kind: 'done' }
    : { kind: 'lost', reason: 'the interpreter did not accept the session' }
}

async function prepare(
  slot: Slot,
  { limits, env, vfs, onInput }: ResolvedSessionOptions,
  { snapshot, number, callbacks, continues, credit }: Incoming,
): Promise<SlotReply> {
  const { memoryBytes, outputBytes, resultBytes, fileBytes } = limits
  // The new connection replaces the slot's previous one only once the slot has accepted it.
  const connection = vfs?.storage.connect()
  const mount = connection ? { ...connection.wire, path: vfs?.mountPath ?? '' } : null
  const request: AttachRequest = {
    limits: { memoryBytes, outputBytes, resultBytes, fileBytes },
    timeZone: env.TZ ?? 'UTC',
    session: encodePlain(
      { env: { ...env }, callbacks, continues, resultBytes, input: onInput !== undefined },
      'session',
    ),
    mount,
    ...credit,
  }
  const reply = await send(slot, snapshot, number, request).catch((error: unknown) => {
    connection?.close()
    throw error
  })
  if (reply.kind === 'refused') connection?.close()
  else slot.mount(connection)
  return reply
}

async function send(
  slot: Slot,
  snapshot: Snapshot | undefined,
  number: number | null,
  request: AttachRequest,
): Promise<SlotReply> {
  if (snapshot === undefined) return slot.call('attach', [request])
  const bytes = snapshot.parts.body.length
  if (!(await slot.memory.takeToSend(bytes)))
    return { kind: 'refused', reason: 'no-room', message: 'maxMemoryBytes leaves no room for a copy of it' }
  try {
    return await restore(slot, snapshot, number, request)
  } finally {
    slot.memory.releaseSent(bytes)
  }
}

async function restore(
  slot: Slot,
  snapshot: Snapshot,
  number: number | null,
  request: AttachRequest,
): Promise<SlotReply> {
  const { version: formatVersion, head } = snapshot.parts
  const { bodyHash, rawBytes, memoryBytes } = head
  let body: Uint8Array<ArrayBuffer>
  try {
    body = await snapshot.copyBody()
  } catch (error) {
    if (!isRangeError(error)) throw error
    return { kind: 'refused', reason: 'too-large', message: `no memory to copy it: ${error.message}` }
  }
  return slot.call(
    'restore',
    [{ ...request, body, formatVersion, bodyHash, rawBytes, memoryBytes, number }],
    [body.buffer],
  )
}

/** Whether the outcome tuple begins with True. The rest is not needed here and may be large. */
function isDone(reply: SlotReply): boolean {
  return reply.kind === 'outcome' && isSuccess(reply.payload)
}
