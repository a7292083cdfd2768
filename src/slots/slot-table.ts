// The slots of a pool and their states. Owns the queries over them; the pool decides what happens to a slot.
import type { SlotLease } from '../memory/slot-lease.js'
import type { PoolStats, SlotRequest } from './pool-options.js'
import type { SlotThread } from './thread.js'

/** `tenant`: the only tenant that may use the slot; undefined: any. In either case, nothing of an earlier lease can be observed (S1). */
export type SlotState =
  | { readonly kind: 'booting' }
  | { readonly kind: 'ready'; readonly tenant: string | undefined }
  | { readonly kind: 'leased'; readonly tenant: string }
  /** `previous`: memory of the previous lease, which is freed once the slot has been renewed. */
  | { readonly kind: 'renewing'; readonly tenant: string | undefined; readonly previous: SlotLease }

/** A map in the order in which slots became ready; the latest is last. */
export class SlotTable extends Map<SlotThread, SlotState> {
  count(): Omit<PoolStats, 'max'> {
    const counts = { booting: 0, ready: 0, leased: 0, renewing: 0, parked: 0 }
    for (const state of this.values()) counts[isParked(state) ? 'parked' : state.kind]++
    return counts
  }

  /** Finds a ready slot: one reserved for the tenant, else the one renewed last, whose JavaScript is the best optimized. */
  find({ tenant, imageId }: SlotRequest): SlotThread | undefined {
    let found: SlotThread | undefined
    for (const [thread, state] of this) {
      if (state.kind !== 'ready' || thread.imageId !== imageId) continue
      if (state.tenant === tenant) return thread
      if (state.tenant === undefined) found = thread
    }
    return found
  }

  /** Counts slots of the image that any session can have, now or once they have been booted or renewed. */
  countComing(imageId: string): number {
    let count = 0
    for (const [thread, state] of this)
      if (thread.imageId === imageId && state.kind !== 'leased' && !isParked(state)) count++
    return count
  }

  /** Counts leased slots of the image whose session has moved to another slot. They are released in a moment. */
  countLeaving(imageId: string): number {
    let count = 0
    for (const [thread, { kind }] of this)
      if (kind === 'leased' && thread.imageId === imageId && thread.slot.isLeaving) count++
    return count
  }
}

function isParked(state: SlotState): boolean {
  return state.kind === 'ready' && state.tenant !== undefined
}
