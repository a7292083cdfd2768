// The steps of capturing and restoring a snapshot that do not call the interpreter: packing, unpacking with every check (N2),
// and classifying the faults of a snapshot as refusals. Owns no state.
import type { Image } from '../../src/shared/image/image.js'
import type {
  RefusalReason,
  RestoreRequest,
  SlotReply,
  SnapshotRequest,
} from '../../src/shared/messages/slot.js'
import type { HostCapture } from '../host/host.js'
import { HostStateError } from '../host/state/error.js'
import type { KernelReply } from '../interpreter/link.js'
import { checkDelta, DeltaError, type MemoryCapture } from '../interpreter/memory-delta.js'
import { NoRoomError, type PackingRoom } from '../memory/packing-room.js'
import { BlockError } from '../snapshot/blocks.js'
import {
  type Body,
  type BodyParts,
  BodyTooLargeError,
  type PackedBody,
  type Packing,
  unpackBody,
} from '../snapshot/body.js'
import { BodyError } from '../snapshot/body-error.js'
import type { KnownBlocks } from '../snapshot/known-blocks.js'
import type { Shielded } from '../snapshot/streams.js'

/** Allowance for names, link targets and bookkeeping of files, beside memory and file contents. */
const MOST_OTHER_BYTES = 64 * 1024 * 1024
const MOST_RAW_BYTES = 2 ** 32

/** The kernel's own bound, for the description and for the values. */
const MOST_DESCRIBED_BYTES = 1024 * 1024

/** Python code can tamper with its session's kernel, so the main thread checks the kernel's output again (R3). */
export const DAMAGED =
  "the session's code has damaged the part of the kernel that describes the session; reset() the session"

class TooLarge extends Error {}

/** Packs synchronously on this thread, or asynchronously with the help of other threads. */
export type Pack = (parts: BodyParts, packing: Packing) => PackedBody | Promise<PackedBody>

export interface Packed {
  readonly reply: SlotReply
  /** The body's blocks, if the next capture may build on them. */
  readonly known: KnownBlocks | undefined
}

export async function captured(
  { description, values }: Extract<KernelReply, { kind: 'described' }>,
  memory: MemoryCapture,
  { state: hostState, contents, files }: HostCapture,
  { maxBytes, effort, number }: SnapshotRequest,
  base: KnownBlocks | undefined,
  pack: Pack,
  shielded: Shielded,
  room: PackingRoom,
): Promise<Packed> {
  const { memoryBytes } = memory
  if (Math.max(description.length, values.length) > MOST_DESCRIBED_BYTES)
    return { reply: refused('not-captured', DAMAGED), known: undefined }
  try {
    const packing = { effort, maxBytes, shielded, room, number, base }
    const { bytes, hash, rawBytes, plan, known } = await pack({ memory, hostState, contents }, packing)
    const reply: SlotReply = {
      kind: 'captured',
      body: bytes,
      plan,
      bodyHash: hash,
      rawBytes,
      memoryBytes,
      description,
      values,
      files,
      returnedBytes: 0,
    }
    return { reply, known }
  } catch (error) {
    if (error instanceof BodyTooLargeError) {
      const message = `the snapshot has ${error.bytes} bytes, more than limits.snapshotBytes (${maxBytes}); raise the limit, or delete data first`
      return { reply: refused('too-large', message), known: undefined }
    }
    // There was not enough memory to pack it beside the session's own.
    if (error instanceof RangeError)
      return { reply: refused('too-large', `it could not be packed: ${error.message}`), known: undefined }
    throw error
  }
}

/** @throws errors that `refusal` turns into a reply */
export function unpack(image: Image, request: RestoreRequest, shielded: Shielded, room: PackingRoom): Body {
  const { limits, rawBytes, memoryBytes } = request
  if (memoryBytes > (limits.memoryBytes ?? Number.POSITIVE_INFINITY))
    throw new TooLarge(
      `its memory of ${memoryBytes} bytes is more than limits.memoryBytes (${limits.memoryBytes}); raise the limit`,
    )
  // An upper bound on the sum of the parts; each part has its own check later.
  const most = MOST_OTHER_BYTES + memoryBytes + (limits.fileBytes ?? MOST_RAW_BYTES)
  if (rawBytes > Math.min(most, MOST_RAW_BYTES))
    throw new TooLarge(`it unpacks to ${rawBytes} bytes, more than its memory and limits.fileBytes allow`)
  const { body: bytes, formatVersion, bodyHash: hash, number } = request
  const source = { bytes, formatVersion, hash, rawBytes, memoryBytes, number }
  const body = unpackBody(source, shielded, room)
  checkDelta(image, body.memory)
  return body
}

export function refused(reason: RefusalReason, message: string): SlotReply {
  return { kind: 'refused', reason, message: message.slice(0, 1000) }
}

/** Turns an error that a snapshot's bytes can cause into a refusal. Returns undefined for any other error: those are our own bugs. */
export function refusal(error: unknown): SlotReply | undefined {
  if (error instanceof TooLarge) return refused('too-large', error.message)
  if (error instanceof NoRoomError) return refused('no-room', error.message)
  if (error instanceof HostStateError) return refused(error.reason, error.message)
  const known = [BodyError, BlockError, DeltaError, SyntaxError, TypeError, RangeError]
  if (error instanceof Error && known.some((type) => error instanceof type))
    return refused('corrupt', error.message)
  return undefined
}
