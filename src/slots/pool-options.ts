// The types of a pool: its options, its statistics, and how a lease ended. Owns no behaviour.

/** Which sessions may use a slot after its first lease. */
export type SlotReuse = 'any' | 'tenant' | 'never'

export interface PoolOptions {
  readonly slots: number
  readonly maxQueued: number
  readonly acquireTimeoutMs: number
  /** Default `any`. */
  readonly slotReuse?: SlotReuse
}

/** A request for a slot. */
export interface SlotRequest {
  readonly tenant: string
  /** The image that its interpreter is made from. */
  readonly imageId: string
}

/** Numbers of slots, by state. */
export interface PoolStats {
  readonly max: number
  readonly booting: number
  readonly ready: number
  readonly leased: number
  /** Slots that are being set back to the image, between two leases. */
  readonly renewing: number
  /** Ready slots that are reserved for the tenant that had them last (`slotReuse: 'tenant'`). */
  readonly parked: number
}

/** How a lease ended. */
export interface Released {
  /** Nothing failed and nothing is running, so the slot can be renewed. */
  readonly isClean: boolean
  /** Other sessions can belong to the same tenant. */
  readonly isTenantShared: boolean
}
