// A session's snapshot in the form that is written to the store: whole, or as a delta to the stored one. Owns finding the blocks that two
// snapshots have in common: by the pieces of memory that they share, without comparing bytes.
import { joined } from '../shared/copy.js'
import type { BodyPiece } from '../shared/snapshot/body.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import type { Storable } from '../store/owned-entry.js'
import { NO_SNAPSHOT } from '../store/ownership.js'
import type { DeltaRange, SnapshotDelta } from '../store/store.js'

/** Smaller snapshots are written whole, because writing a delta would cost about as much. */
const LEAST_BYTES = 128 * 1024
/** A delta is used only if it is smaller than this share of the snapshot. */
const MOST_SHARE = 1 / 2

/** The positions of a stored snapshot's pieces in its document. Holds none of its bytes. */
class Layout {
  readonly #places = new Map<object, DeltaRange>()

  constructor(
    readonly snapshot: { readonly sizeBytes: number; readonly bodyAt: number },
    pieces: readonly BodyPiece[],
  ) {
    let at = snapshot.bodyAt
    for (const { id, bytes } of pieces) {
      this.#places.set(id, { start: at, end: at + bytes.length })
      at += bytes.length
    }
  }

  placeOf({ id }: BodyPiece): DeltaRange | undefined {
    return this.#places.get(id)
  }
}

/** Returns the snapshot's layout; undefined if no other snapshot can share pieces with it. */
export function layoutOf(snapshot: Snapshot | undefined): object | undefined {
  snapshot?.splitBody()
  const pieces = snapshot?.parts.body.pieces ?? []
  if (snapshot === undefined || pieces.length < 2) return undefined
  return new Layout({ sizeBytes: snapshot.size, bodyAt: snapshot.frame.before.length }, pieces)
}

/** A snapshot to store. If there is none, no bytes are stored. */
export class StorableSnapshot implements Storable {
  readonly layout: object | undefined
  readonly #snapshot: Snapshot | undefined
  /** Called with the number of bytes of each copy. */
  readonly #onCopy: (bytes: number) => void

  constructor(snapshot: Snapshot | undefined, onCopy: (bytes: number) => void) {
    this.#snapshot = snapshot
    this.#onCopy = onCopy
    this.layout = layoutOf(snapshot)
  }

  async delta(stored: object): Promise<SnapshotDelta | undefined> {
    const snapshot = this.#snapshot
    if (snapshot === undefined || !(stored instanceof Layout) || snapshot.size < LEAST_BYTES) return undefined
    const { before, after } = snapshot.frame
    const parts: (Uint8Array | DeltaRange)[] = [before]
    const fresh: Uint8Array[] = [before]
    for (const piece of snapshot.parts.body.pieces) {
      const place = stored.placeOf(piece)
      const last = parts.at(-1)
      if (place === undefined) {
        parts.push(piece.bytes)
        fresh.push(piece.bytes)
      } else if (last && 'end' in last && last.end === place.start)
        parts[parts.length - 1] = { ...last, end: place.end }
      else parts.push(place)
    }
    parts.push(after)
    fresh.push(after)
    const freshBytes = fresh.reduce((sum, { length }) => sum + length, 0)
    if (freshBytes >= snapshot.size * MOST_SHARE) return undefined
    // Give the store a copy, because it may keep or change the bytes.
    const copy = await joined(fresh)
    this.#onCopy(copy.length)
    let at = 0
    const own = parts.map((part) => {
      if ('end' in part) return part
      at += part.length
      return copy.subarray(at - part.length, at)
    })
    return { baseBytes: stored.snapshot.sizeBytes, sizeBytes: snapshot.size, parts: own }
  }

  async whole(): Promise<Uint8Array> {
    const bytes = (await this.#snapshot?.copyBytes()) ?? NO_SNAPSHOT
    this.#onCopy(bytes.length)
    return bytes
  }
}
